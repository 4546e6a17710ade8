// bfloat16 training on the CPU: the steps of a GRU and of an LSTM, and cross entropy over a catalogue.
//
// library.py compiles it at first use, and Python calls it through ctypes. PRODUCT is the file with the
// product of the processor at hand, amx.h or avx512.h; product.h says what it takes. Operands of
// products and what is kept for the backward pass are bfloat16; sums, gates and the state that is
// carried on are float32. The loops over `h` and `j` are vectorised by the compiler.

#include PRODUCT

#include "cross_entropy.h"
#include "gru.h"
#include "lstm.h"

extern "C" int start() { return may_multiply(); }
