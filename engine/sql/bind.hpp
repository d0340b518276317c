// Constants of a text and the values of its reading: which is which, and the same reading with other constants.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/sql/reading.hpp"
#include "engine/sql/shape.hpp"
#include "engine/sql/tree.hpp"

namespace tocsin::engine::sql {

// The constant that an A_Const node is: its number in `literals`, negative if the parser has put the minus before it
// into it; 0 if it is none of them. `literals` are in the order of the text.
[[nodiscard]] int literal_at(const std::vector<Literal>& literals, Tree constant);

// Marks as seen every literal that the parse tree has as a constant with that value.
void see_constants(Tree tree, std::vector<Literal>& literals);

// Pins the constants that the compiler did not keep as they were, and leaves the numbers of those only that are free:
// seen and not pinned.
void settle(Reading& reading, std::vector<Literal>& literals);

// The numbers of its constants become others: number n, from 1, becomes to[n - 1].
void renumber(Reading& reading, const std::vector<int>& to);

// A copy of `reading`, made for a text of the same shape, with the constants of this text in it.
[[nodiscard]] Reading bind(const Reading& reading, const std::vector<Literal>& literals);

// About how much memory a reading takes.
[[nodiscard]] std::size_t footprint(const Reading& reading);

}  // namespace tocsin::engine::sql
