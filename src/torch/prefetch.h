#pragma once

namespace corundum {

// Makes ready, in the background, the kernels that this program used before and that could not be named when it was followed
// (follow_program): their operators have been defined since. On devices that have been used.
void prefetch_again();

} // namespace corundum
