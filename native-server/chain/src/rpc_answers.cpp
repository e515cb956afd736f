#include "rpc_answers.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "fluxora/core/ledger_key.hpp"
#include "fluxora/core/strkey.hpp"
#include "fluxora/core/unix_time.hpp"

namespace fluxora::chain {
namespace {

constexpr std::size_t event_id_length = 30;  // 19 digits, a dash, 10 digits
constexpr std::size_t toid_digits = 19;

// Deeper than anything that is asked for, and shallow enough that no answer makes much more of itself in memory.
constexpr std::size_t max_depth = 32;
constexpr std::size_t max_quoted = 256;
// Passphrases are a line of text.
constexpr std::size_t max_passphrase = 256;

[[noreturn]] void nonsense(const std::string& what) {
  throw ports::ChainError(ports::ChainError::Kind::nonsense, "the RPC's answer has " + what);
}

const Json& member(const Json& object, const char* name) {
  if (!object.is_object()) nonsense("no object where " + std::string(name) + " belongs");
  const auto found = object.find(name);
  if (found == object.end()) nonsense("no " + std::string(name));
  return *found;
}

const std::string& text(const Json& object, const char* name) {
  const Json& value = member(object, name);
  if (!value.is_string()) nonsense(std::string("no text in ") + name);
  return value.get_ref<const std::string&>();
}

/// Older servers write some numbers as text.
std::uint64_t unsigned_number(const Json& object, const char* name, std::uint64_t max) {
  const Json& value = member(object, name);
  std::uint64_t number = 0;
  if (value.is_number_unsigned()) {
    number = value.get<std::uint64_t>();
  } else if (value.is_string()) {
    const auto& digits = value.get_ref<const std::string&>();
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size()) nonsense(std::string("no number in ") + name);
  } else {
    nonsense(std::string("no number in ") + name);
  }
  if (number > max) nonsense(std::string("a number out of range in ") + name);
  return number;
}

std::uint32_t ledger_number(const Json& object, const char* name) {
  return static_cast<std::uint32_t>(unsigned_number(object, name, std::numeric_limits<std::uint32_t>::max()));
}

core::Hash hash(const Json& object, const char* name) {
  const auto value = core::hash_from_hex(text(object, name));
  if (!value) nonsense(std::string("no 32-byte hash in ") + name);
  return *value;
}

core::Bytes base64(const std::string& value, const char* name) {
  auto bytes = core::base64_decode(value);
  if (!bytes) nonsense(std::string("no base64 in ") + name);
  return std::move(*bytes);
}

std::string passphrase(const Json& object, const char* name) {
  const std::string& value = text(object, name);
  if (value.empty() || value.size() > max_passphrase || value != quotable(value)) {
    nonsense(std::string("no passphrase in ") + name);
  }
  return value;
}

/// The ledger that an event's id names in its TOID. Fee-stage events don't encode their operation there, so this is
/// all of it that can be checked.
std::uint64_t ledger_of_event_id(const std::string& id) {
  const bool formed = id.size() == event_id_length && id[toid_digits] == '-' &&
                      std::count_if(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; }) ==
                          static_cast<std::ptrdiff_t>(event_id_length - 1);
  if (!formed) nonsense("an event id of another form");
  std::uint64_t toid = 0;
  std::from_chars(id.data(), id.data() + toid_digits, toid);
  return toid >> 32;
}

core::Bytes event_value(const std::string& encoded, const char* name) {
  core::Bytes bytes = base64(encoded, name);
  if (bytes.size() > ports::max_event_value_bytes) nonsense(std::string("an endless ") + name);
  return bytes;
}

ports::ChainEvent read_event(const Json& item) {
  ports::ChainEvent event;
  event.event_id = text(item, "id");
  event.ledger = ledger_number(item, "ledger");
  if (ledger_of_event_id(event.event_id) != event.ledger) nonsense("an event id that contradicts its ledger");
  event.contract_id = text(item, "contractId");
  if (!core::is_contract_id(event.contract_id)) nonsense("no contract address in contractId");
  const auto closed_at = core::parse_rfc3339(text(item, "ledgerClosedAt"));
  if (!closed_at) nonsense("no time in ledgerClosedAt");
  event.closed_at = *closed_at;
  event.tx_hash = hash(item, "txHash");
  // Absent in the newest servers, which leave events of failed calls out.
  if (const auto flag = item.find("inSuccessfulContractCall"); flag != item.end()) {
    if (!flag->is_boolean()) nonsense("no boolean in inSuccessfulContractCall");
    event.in_successful_call = flag->get<bool>();
  }
  const Json& topics = member(item, "topic");
  if (!topics.is_array()) nonsense("no list in topic");
  for (const Json& topic : topics) {
    if (!topic.is_string()) nonsense("no text in topic");
    event.topics_xdr.push_back(event_value(topic.get_ref<const std::string&>(), "topic"));
  }
  event.value_xdr = event_value(text(item, "value"), "value");
  return event;
}

}  // namespace

Json parse_answer(const std::string& text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if ((c == '[' || c == '{') && ++depth > max_depth) nonsense("JSON that is nested too deeply");
    if ((c == ']' || c == '}') && depth > 0) --depth;
  }
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

std::string quotable(std::string_view text) {
  std::string_view kept = text.substr(0, max_quoted);
  // Not in the middle of a character: UTF-8's later bytes are 10xxxxxx.
  while (kept.size() < text.size() && !kept.empty() && (static_cast<unsigned char>(text[kept.size()]) & 0xc0U) == 0x80U)
    kept.remove_suffix(1);
  std::string line(kept);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20U || c == 0x7f) c = ' ';
  }
  if (kept.size() < text.size()) line += "…";
  return line;
}

std::string read_passphrase(const Json& result) {
  return passphrase(result, "passphrase");
}

HorizonRoot read_horizon_root(const Json& root) {
  // Before it has taken its first ledger in, Horizon's own is 0.
  return {passphrase(root, "network_passphrase"),
          std::max(ledger_number(root, "history_latest_ledger"), ledger_number(root, "core_latest_ledger"))};
}

ports::LedgerWindow read_window(const Json& result) {
  const ports::LedgerWindow window{ledger_number(result, "oldestLedger"), ledger_number(result, "latestLedger")};
  if (window.oldest == 0) nonsense("no ledger's number in oldestLedger");
  if (window.oldest > window.latest) nonsense("an oldestLedger above its latestLedger");
  return window;
}

EventsAnswer read_events(const Json& result, std::uint32_t first, std::uint32_t last) {
  EventsAnswer answer;
  answer.window = read_window(result);
  answer.cursor = text(result, "cursor");
  const Json& events = member(result, "events");
  if (!events.is_array()) nonsense("no list in events");
  answer.items = events.size();
  answer.events.reserve(events.size());
  for (const Json& item : events) {
    if (text(item, "type") != "contract") continue;
    ports::ChainEvent event = read_event(item);
    if (event.ledger < first || event.ledger > last) nonsense("an event of a ledger that wasn't asked for");
    if (!answer.events.empty() && event.event_id <= answer.events.back().event_id) nonsense("events out of order");
    answer.events.push_back(std::move(event));
  }
  return answer;
}

std::vector<ports::LedgerHeader> read_ledgers(const Json& result) {
  const Json& ledgers = member(result, "ledgers");
  if (!ledgers.is_array()) nonsense("no list in ledgers");
  std::vector<ports::LedgerHeader> headers;
  headers.reserve(ledgers.size());
  for (const Json& item : ledgers) {
    ports::LedgerHeader header;
    header.sequence = ledger_number(item, "sequence");
    header.hash = hash(item, "hash");
    header.closed_at = unsigned_number(item, "ledgerCloseTime", core::last_rfc3339_second);
    // LedgerHeaderHistoryEntry: the ledger's hash, then the header: its version and the previous ledger's hash.
    const core::Bytes entry = base64(text(item, "headerXdr"), "headerXdr");
    constexpr std::size_t previous_at = 32 + 4;
    if (entry.size() < previous_at + 32) nonsense("a truncated headerXdr");
    if (!std::equal(header.hash.begin(), header.hash.end(), entry.begin())) {
      nonsense("a headerXdr of another ledger than its hash");
    }
    core::Hash& previous = header.previous_hash.emplace();
    std::copy_n(entry.begin() + previous_at, previous.size(), previous.begin());
    headers.push_back(header);
  }
  return headers;
}

LatestLedger read_latest_ledger(const Json& result) {
  return {ledger_number(result, "sequence"), hash(result, "id")};
}

EntriesAnswer read_entries(const Json& result) {
  EntriesAnswer answer;
  answer.ledger = ledger_number(result, "latestLedger");
  const Json& entries = member(result, "entries");
  if (entries.is_null()) return answer;  // how older servers write that there are none
  if (!entries.is_array()) nonsense("no list in entries");
  answer.entries.reserve(entries.size());
  for (const Json& item : entries) {
    ports::StorageEntry entry;
    entry.key = base64(text(item, "key"), "key");
    entry.xdr = base64(text(item, "xdr"), "xdr");
    if (!core::decode_contract_data(entry.key, entry.xdr)) nonsense("no contract data of its key in xdr");
    entry.last_modified_ledger = ledger_number(item, "lastModifiedLedgerSeq");
    if (entry.last_modified_ledger > answer.ledger) nonsense("an entry that was modified after its latestLedger");
    if (item.contains("liveUntilLedgerSeq")) entry.live_until_ledger = ledger_number(item, "liveUntilLedgerSeq");
    answer.entries.push_back(std::move(entry));
  }
  return answer;
}

}  // namespace fluxora::chain
