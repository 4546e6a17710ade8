// Softmax cross entropy over a catalogue, and its gradients.
#pragma once

#include "arithmetic.h"

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
