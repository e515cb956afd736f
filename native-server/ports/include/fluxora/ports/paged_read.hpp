#pragma once

#include "fluxora/ports/store_result.hpp"

namespace fluxora::ports {

/// A long read under way: all of one snapshot, page by page. It holds one of the few places for such reads, and the
/// snapshot, until its last page or until it is dropped. Dropping it never blocks. A Page has a member `bool last`:
/// nothing follows.
template <class Start, class Page>
class PagedRead {
 public:
  virtual ~PagedRead() = default;
  /// What is known of the snapshot before its first page.
  [[nodiscard]] virtual const Start& at() const = 0;
  /// One at a time. `busy`: the read has taken longer than it may. After a failure, or the last page, there is no more.
  virtual void next(Reply<Page> reply) = 0;
};

}  // namespace fluxora::ports
