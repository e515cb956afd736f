#pragma once

#include <stdexcept>

namespace fluxora::indexer {

/// The log can't be folded: it is damaged, or has been replaced meanwhile. what() is a sentence that says so.
class LogUnfoldable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace fluxora::indexer
