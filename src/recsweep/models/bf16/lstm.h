// The steps of an LSTM. PRODUCT's file was read before.
#pragma once

#include "arithmetic.h"

extern "C" {

// All time-major; H = size, a multiple of 32; rows a multiple of 32.
//   inputs (length, rows, 4H)       W x of every step, gates i, f, g, o
//   weight                          U^T packed, k = H, n = 4H
//   bias (4H)
//   gates (length, rows, 4H)        out
//   cells, states (length + 1, rows, H)    out; [0] is zero
void lstm_forward(const Half* inputs, const Half* weight, const float* bias, Half* gates,
                  Half* cells, Half* states, int length, int rows, int size) {
    [[maybe_unused]] const Multiplying multiplying;
    Buffer<float> hidden(static_cast<std::size_t>(ROWS) * 4 * size);
    Buffer<float> exact(static_cast<std::size_t>(ROWS) * size);  // the cell, unrounded
    const std::size_t step = static_cast<std::size_t>(rows) * size;
    for (int block = 0; block < rows; block += ROWS) {
        std::fill_n(exact.data(), static_cast<std::size_t>(ROWS) * size, 0.0f);
        for (int t = 0; t < length; ++t) {
            const std::size_t at = t * step + static_cast<std::size_t>(block) * size;
            product(states + at, weight, hidden.data(), 4 * size, size);
            for (int row = 0; row < ROWS; ++row) {
                const std::size_t here = at + static_cast<std::size_t>(row) * size;
                const Half* x = inputs + 4 * here;
                const float* own = hidden.data() + static_cast<std::size_t>(row) * 4 * size;
                float* cell = exact.data() + static_cast<std::size_t>(row) * size;
                Half* gate = gates + 4 * here;
                Half *cell_after = cells + here + step, *after = states + here + step;
#pragma omp simd
                for (int h = 0; h < size; ++h) {
                    const float i = sigmoid(wide(x[h]) + own[h] + bias[h]);
                    const float f = sigmoid(wide(x[size + h]) + own[size + h] + bias[size + h]);
                    const float g =
                        tanh_of(wide(x[2 * size + h]) + own[2 * size + h] + bias[2 * size + h]);
                    const float o =
                        sigmoid(wide(x[3 * size + h]) + own[3 * size + h] + bias[3 * size + h]);
                    cell[h] = f * cell[h] + i * g;
                    gate[h] = half(i);
                    gate[size + h] = half(f);
                    gate[2 * size + h] = half(g);
                    gate[3 * size + h] = half(o);
                    cell_after[h] = half(cell[h]);
                    after[h] = half(o * tanh_of(cell[h]));
                }
            }
        }
    }
}

// Beyond that:
//   upstream (length, rows, H)      derivatives by the states
//   weight                          U packed, k = 4H, n = H
//   through (length, rows, 4H)      out: derivatives by W x + U h + b
//   grad_bias (4H)                  added to
void lstm_backward(const Half* upstream, const Half* weight, const Half* gates,
                   const Half* cells, Half* through, float* grad_bias, int length, int rows,
                   int size) {
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
                const Half *up = upstream + here, *before = cells + here, *gate = gates + 4 * here;
                float* carry = carried.data() + static_cast<std::size_t>(row) * size;
                const float* later = product_of.data() + static_cast<std::size_t>(row) * size;
                Half* by = through + 4 * here;
#pragma omp simd
                for (int h = 0; h < size; ++h) {
                    const float i = wide(gate[h]), f = wide(gate[size + h]);
                    const float g = wide(gate[2 * size + h]), o = wide(gate[3 * size + h]);
                    const float tanh_cell = tanh_of(wide(before[step + h]));
                    const float d = wide(up[h]) + later[h];
                    const float d_cell = carry[h] + d * o * (1 - tanh_cell * tanh_cell);
                    const float d_i = d_cell * g * i * (1 - i);
                    const float d_f = d_cell * wide(before[h]) * f * (1 - f);
                    const float d_g = d_cell * i * (1 - g * g);
                    const float d_o = d * tanh_cell * o * (1 - o);
                    by[h] = half(d_i);
                    by[size + h] = half(d_f);
                    by[2 * size + h] = half(d_g);
                    by[3 * size + h] = half(d_o);
                    grad_bias[h] += d_i;
                    grad_bias[size + h] += d_f;
                    grad_bias[2 * size + h] += d_g;
                    grad_bias[3 * size + h] += d_o;
                    carry[h] = d_cell * f;
                }
            }
            product(through + 4 * at, weight, product_of.data(), size, 4 * size);
        }
    }
}
}
