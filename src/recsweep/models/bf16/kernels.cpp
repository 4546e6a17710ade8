// bfloat16 training on the CPU: the steps of a GRU, and cross entropy over a catalogue.
//
// library.py compiles it at first use and kernels.py calls it through ctypes. PRODUCT is the file with
// the product of the processor at hand, amx.h or avx512.h; product.h says what it takes. Operands of
// products and what is kept for the backward pass are bfloat16; sums, gates and the state that is
// carried on are float32. The loops over `h` and `j` are vectorised by the compiler.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <new>

#include PRODUCT

static inline float wide(Half value) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

static inline Half half(float value) {  // to the nearest, ties to even
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return static_cast<Half>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// 2^n by the exponent's bits, and 2^f for |f| <= 1/2 by its Taylor series: 2e-7 off at most.
static inline float exponential(float x) {
    const float y = std::min(std::max(x, -87.0f), 88.0f) * 1.44269504f;
    const float n = std::nearbyint(y);
    const float f = (y - n) * 0.693147181f;
    const float series =
        1 + f * (1 + f * (1 / 2.f + f * (1 / 6.f + f * (1 / 24.f + f * (1 / 120.f + f / 720.f)))));
    const auto scale = static_cast<std::uint32_t>(static_cast<std::int32_t>(n) + 127) << 23;
    return series * std::bit_cast<float>(scale);
}

static inline float sigmoid(float x) { return 1 / (1 + exponential(-x)); }
static inline float tanh_of(float x) { return 2 / (1 + exponential(-2 * x)) - 1; }

// Aligned, so that no row of a tile lies in two lines of the cache.
template <class T>
struct Buffer {
    explicit Buffer(std::size_t n) : held(new (std::align_val_t{64}) T[n]{}) {}
    ~Buffer() { operator delete[](held, std::align_val_t{64}); }
    Buffer(const Buffer&) = delete;
    T* data() { return held; }
    T* held;
};

// Turns a row of logits without bias into (softmax * count - one-hot of its targets) / n_targets;
// returns the sum of its targets' losses.
static double softmax_gradient(float* row, const float* bias, const std::int64_t* target,
                               std::int64_t count, int items, int n_targets) {
    float top = -INFINITY, mass = 0;
    double loss = 0;
#pragma omp simd reduction(max : top)
    for (int j = 0; j < items; ++j) {
        const float logit = row[j] + bias[j];
        row[j] = logit;
        top = logit > top ? logit : top;
    }
    for (std::int64_t k = 0; k < count; ++k) loss -= row[target[k]];
#pragma omp simd reduction(+ : mass)
    for (int j = 0; j < items; ++j) {
        row[j] = exponential(row[j] - top);
        mass += row[j];
    }
    loss += count * (std::log(static_cast<double>(mass)) + top);
    const float scale = count / (mass * n_targets), one = 1.0f / n_targets;
    for (int j = 0; j < items; ++j) row[j] *= scale;
    for (std::int64_t k = 0; k < count; ++k) row[target[k]] -= one;
    return loss;
}

extern "C" {

int start() { return may_multiply(); }

// All time-major; H = size, a multiple of 32; rows a multiple of 32.
//   inputs (length, rows, 3H)       W x of every step, gates r, z, n
//   weight                          U^T packed, k = H, n = 3H
//   bias (4H)                       of r, z, n; then the one inside the candidate's product
//   gates (length, rows, 4H)        out: r, z, n, and U_n h + c_n
//   states (length + 1, rows, H)    out; [0] is zero
void gru_forward(const Half* inputs, const Half* weight, const float* bias, Half* gates,
                 Half* states, int length, int rows, int size) {
    [[maybe_unused]] const Multiplying multiplying;
    Buffer<float> hidden(static_cast<std::size_t>(ROWS) * 3 * size);
    Buffer<float> exact(static_cast<std::size_t>(ROWS) * size);  // the state, unrounded
    const std::size_t step = static_cast<std::size_t>(rows) * size;
    for (int block = 0; block < rows; block += ROWS) {
        std::fill_n(exact.data(), static_cast<std::size_t>(ROWS) * size, 0.0f);
        for (int t = 0; t < length; ++t) {
            const std::size_t at = t * step + static_cast<std::size_t>(block) * size;
            product(states + at, weight, hidden.data(), 3 * size, size);
            for (int row = 0; row < ROWS; ++row) {
                const std::size_t here = at + static_cast<std::size_t>(row) * size;
                const Half* x = inputs + 3 * here;
                const float* own = hidden.data() + static_cast<std::size_t>(row) * 3 * size;
                float* state = exact.data() + static_cast<std::size_t>(row) * size;
                Half *gate = gates + 4 * here, *after = states + here + step;
#pragma omp simd
                for (int h = 0; h < size; ++h) {
                    const float r = sigmoid(wide(x[h]) + own[h] + bias[h]);
                    const float z =
                        sigmoid(wide(x[size + h]) + own[size + h] + bias[size + h]);
                    const float inner = own[2 * size + h] + bias[3 * size + h];
                    const float n =
                        tanh_of(wide(x[2 * size + h]) + bias[2 * size + h] + r * inner);
                    state[h] = n + z * (state[h] - n);
                    gate[h] = half(r);
                    gate[size + h] = half(z);
                    gate[2 * size + h] = half(n);
                    gate[3 * size + h] = half(inner);
                    after[h] = half(state[h]);
                }
            }
        }
    }
}

// Beyond that:
//   upstream (length, rows, H)      derivatives by the states
//   weight                          U packed, k = 3H, n = H
//   through_input, through_hidden (length, rows, 3H)
//                                   out: derivatives by W x + b, and by U h + c
//   grad_bias (4H)                  added to
void gru_backward(const Half* upstream, const Half* weight, const Half* gates,
                  const Half* states, Half* through_input, Half* through_hidden,
                  float* grad_bias, int length, int rows, int size) {
    [[maybe_unused]] const Multiplying multiplying;
    const std::size_t n = static_cast<std::size_t>(ROWS) * size;
    Buffer<float> carried(n), product_of(n);
    const std::size_t step = static_cast<std::size_t>(rows) * size;
    for (int block = 0; block < rows; block += ROWS) {
        std::fill_n(carried.data(), n, 0.0f);
        std::fill_n(product_of.data(), n, 0.0f);
        for (int t = length - 1; t >= 0; --t) {
            const std::size_t at = t * step + static_cast<std::size_t>(block) * size;
            for (int row = 0; row < ROWS; ++row) {
                const std::size_t here = at + static_cast<std::size_t>(row) * size;
                const Half *up = upstream + here, *before = states + here;
                const Half* gate = gates + 4 * here;
                float* carry = carried.data() + static_cast<std::size_t>(row) * size;
                const float* later = product_of.data() + static_cast<std::size_t>(row) * size;
                Half *by_input = through_input + 3 * here, *by_hidden = through_hidden + 3 * here;
#pragma omp simd
                for (int h = 0; h < size; ++h) {
                    const float r = wide(gate[h]), z = wide(gate[size + h]);
                    const float n = wide(gate[2 * size + h]);
                    const float d = wide(up[h]) + carry[h] + later[h];
                    const float d_n = d * (1 - z) * (1 - n * n);
                    const float d_z = d * (wide(before[h]) - n) * z * (1 - z);
                    const float d_r = d_n * wide(gate[3 * size + h]) * r * (1 - r);
                    by_input[h] = by_hidden[h] = half(d_r);
                    by_input[size + h] = by_hidden[size + h] = half(d_z);
                    by_input[2 * size + h] = half(d_n);
                    by_hidden[2 * size + h] = half(d_n * r);
                    grad_bias[h] += d_r;
                    grad_bias[size + h] += d_z;
                    grad_bias[2 * size + h] += d_n;
                    grad_bias[3 * size + h] += d_n * r;
                    carry[h] = d * z;
                }
            }
            product(through_hidden + 3 * at, weight, product_of.data(), size, 3 * size);
        }
    }
}

// Cross entropy of states @ table^T + bias, and its gradients; D = size, a multiple of 32.
//   states (rows, D)                rows a multiple of 32; those without a target are none
//   turned, table                   (columns, D) packed: k = D, n = columns, and k = columns, n = D;
//                                   columns is `items` padded with zeros to a multiple of 32
//   counts (rows)                   targets of the row, of n_targets in all; their items lie one
//                                   row after the other in `target`
//   grad_states (rows, D)           out, of the mean over targets
//   grad_table (D, columns), grad_bias (items)    added to
// Returns the sum of the targets' losses.
double cross_entropy(const Half* states, const Half* turned, const Half* table,
                     const float* bias, const std::int64_t* target,
                     const std::int64_t* counts, float* grad_states, float* grad_table,
                     float* grad_bias, int rows, int items, int size, int n_targets) {
    [[maybe_unused]] const Multiplying multiplying;
    const int columns = (items + ROWS - 1) / ROWS * ROWS;
    const std::size_t n = static_cast<std::size_t>(ROWS) * columns;
    Buffer<float> logits(n);
    Buffer<Half> gradient(n), packed(n), upright(static_cast<std::size_t>(ROWS) * size);
    double loss = 0;
    for (int block = 0; block < rows; block += ROWS) {
        const Half* state = states + static_cast<std::size_t>(block) * size;
        product<false>(state, turned, logits.data(), columns, size);
        for (int i = 0; i < ROWS; ++i) {
            float* row = logits.data() + static_cast<std::size_t>(i) * columns;
            const std::int64_t count = counts[block + i];
            loss += softmax_gradient(row, bias, target, count, items, n_targets);
            target += count;
            Half* out = gradient.data() + static_cast<std::size_t>(i) * columns;
#pragma omp simd
            for (int j = 0; j < items; ++j) {
                grad_bias[j] += row[j];
                out[j] = half(row[j]);
            }
            for (int h = 0; h < size; ++h) upright.data()[h * ROWS + i] = state[i * size + h];
        }
        for (int column = 0; column < columns; column += TILE) {
            const Half* from = gradient.data() + column;
            Half* to = packed.data() + static_cast<std::size_t>(column) * ROWS;
            for (int pair = 0; pair < ROWS; pair += 2, to += 2 * TILE)
                for (int j = 0; j < TILE; ++j) {
                    to[2 * j] = from[pair * columns + j];
                    to[2 * j + 1] = from[(pair + 1) * columns + j];
                }
        }
        float* grad = grad_states + static_cast<std::size_t>(block) * size;
        product<false>(gradient.data(), table, grad, size, columns);
        for (int h = 0; h < size; h += ROWS)
            product<true>(upright.data() + h * ROWS, packed.data(),
                          grad_table + static_cast<std::size_t>(h) * columns, columns, ROWS);
    }
    return loss;
}
}
