// The steps of a GRU. PRODUCT's file was read before.
#pragma once

#include "arithmetic.h"

extern "C" {

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
}
