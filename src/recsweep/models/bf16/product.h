// What the products of amx.h and avx512.h have in common.
#pragma once

#include <cstddef>
#include <cstdint>

using Half = std::uint16_t;  // bits of a bfloat16

// Operands are packed in tiles of TILE columns, DEPTH numbers deep. ROWS rows are multiplied at once.
constexpr int TILE = 16, DEPTH = 32, ROWS = 2 * TILE;

// out (ROWS, n) = a (ROWS, k) @ b, or += where ADD; n and k are multiples of ROWS and DEPTH.
// b is packed: (n / TILE, k / DEPTH, DEPTH / 2, TILE, 2).
template <bool ADD = false>
static void product(const Half* a, const Half* b, float* out, int n, int k);
