#pragma once

namespace fluxora::net::test {

/// From now on lookups of names under `.slow.example` wait, each for `patience` at the longest, until
/// release_lookups().
void hold_lookups();
void release_lookups();
/// How many wait now.
int held_lookups();

}  // namespace fluxora::net::test
