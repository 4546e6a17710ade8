// The product of kernels.cpp on processors that multiply vectors of bfloat16 (AVX-512 BF16).

#include <immintrin.h>

#include "product.h"

struct Multiplying {};  // it needs nothing

static bool may_multiply() { return true; }

template <bool ADD>
static void product(const Half* a, const Half* b, float* out, int n, int k) {
    constexpr int HEIGHT = 8;  // rows whose sums stay in registers, two vectors each
    for (int column = 0; column < n; column += 2 * TILE) {
        const Half* left = b + static_cast<std::size_t>(column) * k;
        const Half* right = left + static_cast<std::size_t>(TILE) * k;
        for (int row = 0; row < ROWS; row += HEIGHT) {
            const Half* of_row = a + static_cast<std::size_t>(row) * k;
            float* to = out + static_cast<std::size_t>(row) * n + column;
            __m512 sums[HEIGHT][2];
#pragma GCC unroll 8
            for (int i = 0; i < HEIGHT; ++i) {
                sums[i][0] = ADD ? _mm512_loadu_ps(to + i * n) : _mm512_setzero_ps();
                sums[i][1] = ADD ? _mm512_loadu_ps(to + i * n + TILE) : _mm512_setzero_ps();
            }
            for (int depth = 0; depth < k; depth += 2) {
                const auto l = (__m512bh)_mm512_loadu_si512(left + TILE * depth);
                const auto r = (__m512bh)_mm512_loadu_si512(right + TILE * depth);
#pragma GCC unroll 8
                for (int i = 0; i < HEIGHT; ++i) {
                    int pair;
                    __builtin_memcpy(&pair, of_row + static_cast<std::size_t>(i) * k + depth, 4);
                    const auto both = (__m512bh)_mm512_set1_epi32(pair);
                    sums[i][0] = _mm512_dpbf16_ps(sums[i][0], both, l);
                    sums[i][1] = _mm512_dpbf16_ps(sums[i][1], both, r);
                }
            }
#pragma GCC unroll 8
            for (int i = 0; i < HEIGHT; ++i) {
                _mm512_storeu_ps(to + i * n, sums[i][0]);
                _mm512_storeu_ps(to + i * n + TILE, sums[i][1]);
            }
        }
    }
}
