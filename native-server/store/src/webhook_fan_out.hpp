#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <pqxx/pqxx>

#include "copy_rows.hpp"
#include "fluxora/core/entry_parties.hpp"
#include "fluxora/core/log_entry.hpp"

namespace fluxora::store {

/// What an endpoint wants to hear of, as its row has it.
struct EndpointFilter {
  std::uint32_t events = ~std::uint32_t{0};  ///< a bit for each core::EventName, by its number
  std::string stream_id;                     ///< empty, as the following: any
  std::string sender;
  std::string recipient;

  /// An entry that gave the stream to someone else, or took it back, is of those who had it, too. SPEC section 8.
  [[nodiscard]] bool fits(const core::LogEntry& entry, const core::EntryParties& parties) const;
};

/// The columns of webhook_endpoints that make a filter, and the filter that they are, from column `first` on. Throws
/// std::runtime_error on anything that we don't write.
inline constexpr std::string_view filter_columns = "events, stream_id, sender, recipient";
[[nodiscard]] EndpointFilter filter_from_row(const pqxx::row& row, int first);

/// Endpoints by what they want, so that an entry is compared with few of them.
class EndpointIndex {
 public:
  void add(std::uint64_t endpoint, EndpointFilter filter);
  [[nodiscard]] bool empty() const noexcept { return endpoints_.empty(); }
  /// Puts whoever is to hear of the entry behind `endpoints`, each once.
  void find(const core::LogEntry& entry, std::vector<std::uint64_t>& endpoints) const;

 private:
  using Places = std::vector<std::size_t>;  // in endpoints_
  using PlacesByName = std::unordered_map<std::string, Places>;

  std::vector<std::pair<std::uint64_t, EndpointFilter>> endpoints_;
  // Each endpoint is in one of these, under the narrowest thing that it asks for.
  PlacesByName by_stream_;
  PlacesByName by_recipient_;
  PlacesByName by_sender_;
  Places others_;
};

/// What is kept of an entry for its deliveries.
using MessageRow = CopyRow<7>;
[[nodiscard]] const std::vector<std::string>& message_columns();
/// `deliveries`: rows of webhook_deliveries that are made with it. `traceparent`: of what made the entry; may be empty.
[[nodiscard]] MessageRow message_row(const core::LogEntry& entry, const std::string& epoch, std::size_t deliveries,
                                     const std::string& traceparent);
/// Without its end, so that a clause for conflicts may follow. `messages` isn't empty.
[[nodiscard]] std::string insert_messages_sql(pqxx::transaction_base& sql, const std::vector<MessageRow>& messages);

/// The endpoints, part after part: those of a part have at most `most` deliveries together, or it is one alone.
[[nodiscard]] std::vector<std::vector<std::uint64_t>> parts_of(const std::map<std::uint64_t, std::size_t>& deliveries,
                                                               std::size_t most);

/// SQL's upsert of lanes that something was put into, due at once: `lanes` is a query of (endpoint, epoch, lane), none
/// twice. One that is there already stays as it is, but is locked until the commit: whoever wants to remove it because
/// nothing waits in it comes to see what does.
[[nodiscard]] std::string open_lanes_sql(const std::string& lanes);

/// Makes the deliveries of entries in the transaction that appends them, which holds the row of log_head: that row says
/// whether the endpoints are still those that were read before. For one thread.
class WebhookFanOut {
 public:
  /// What the locked row says: `epoch` and `webhooks_version`.
  void log_is_locked(std::string epoch, std::int64_t version);

  /// For many entries, all of what `traceparent` names: the messages by COPY. `entries` isn't empty.
  void write(pqxx::transaction_base& sql, const std::vector<core::LogEntry>& entries, const std::string& traceparent);
  /// For few: the statements, each ended by a semicolon; none where nobody is to hear of them. The endpoints are read
  /// meanwhile, where they have changed. `traceparents`: of each entry. `entries` isn't empty.
  [[nodiscard]] std::string write_sql(pqxx::transaction_base& sql, const std::vector<core::LogEntry>& entries,
                                      const std::vector<std::string>& traceparents);

 private:
  struct Message;

  void read_endpoints(pqxx::transaction_base& sql);
  template <class Put>
  void run(pqxx::transaction_base& sql, const std::vector<core::LogEntry>& entries, Put put);
  [[nodiscard]] std::string insert_deliveries_sql(pqxx::transaction_base& sql,
                                                  const std::vector<std::uint64_t>& endpoints,
                                                  const std::vector<std::uint64_t>& seqs) const;
  [[nodiscard]] std::string open_lanes(pqxx::transaction_base& sql, const std::vector<std::uint64_t>& endpoints,
                                       std::uint64_t first_seq) const;

  std::string epoch_;
  std::int64_t version_ = 0;
  std::string known_epoch_;  // with known_version_: when endpoints_ were read; empty: they weren't
  std::int64_t known_version_ = 0;
  EndpointIndex endpoints_;
};

}  // namespace fluxora::store
