#include "chain_events.hpp"

#include <cstdio>

#include "fluxora/core/stream.hpp"
#include "fluxora/core/strkey.hpp"
#include "fluxora/core/xdr.hpp"
#include "stream_samples.hpp"

namespace fluxora::indexer::test {
namespace {

// SCValType.
constexpr std::uint32_t void_type = 1;
constexpr std::uint32_t u32_type = 3;
constexpr std::uint32_t u64_type = 5;
constexpr std::uint32_t i128_type = 10;
constexpr std::uint32_t symbol_type = 15;
constexpr std::uint32_t map_type = 17;
constexpr std::uint32_t address_type = 18;

template <class Write>
core::Bytes xdr_of(std::uint32_t type, Write write) {
  core::Bytes bytes;
  core::XdrWriter xdr(bytes);
  xdr.write_u32(type);
  write(xdr);
  return bytes;
}

void append(core::Bytes& bytes, const core::Bytes& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

}  // namespace

core::Bytes void_xdr() {
  return xdr_of(void_type, [](core::XdrWriter&) {});
}
core::Bytes symbol_xdr(std::string_view text) {
  return xdr_of(symbol_type, [&](core::XdrWriter& xdr) { xdr.write_string(text); });
}
core::Bytes u64_xdr(std::uint64_t value) {
  return xdr_of(u64_type, [&](core::XdrWriter& xdr) { xdr.write_u64(value); });
}
core::Bytes u32_xdr(std::uint32_t value) {
  return xdr_of(u32_type, [&](core::XdrWriter& xdr) { xdr.write_u32(value); });
}
core::Bytes i128_xdr(core::Amount amount) {
  return xdr_of(i128_type, [&](core::XdrWriter& xdr) {
    const auto units = static_cast<core::UInt128>(amount.units);
    xdr.write_u64(static_cast<std::uint64_t>(units >> 64));
    xdr.write_u64(static_cast<std::uint64_t>(units));
  });
}
core::Bytes address_xdr(std::string_view strkey) {
  return xdr_of(address_type, [&](core::XdrWriter& xdr) {
    const auto key = core::decode_strkey(strkey);
    const bool contract = key->version == core::StrKeyVersion::contract;
    xdr.write_u32(contract ? 1 : 0);
    if (!contract) xdr.write_u32(0);  // ed25519
    xdr.write_fixed(key->payload);
  });
}
core::Bytes map_xdr(const std::vector<std::pair<std::string, core::Bytes>>& fields) {
  core::Bytes bytes = xdr_of(map_type, [&](core::XdrWriter& xdr) {
    xdr.write_bool(true);
    xdr.write_u32(static_cast<std::uint32_t>(fields.size()));
  });
  for (const auto& [name, value] : fields) {
    append(bytes, symbol_xdr(name));
    append(bytes, value);
  }
  return bytes;
}
core::Bytes broken_xdr() {
  return {0xff, 0xff, 0xff, 0xff};
}

ports::ChainEvent event_of(std::vector<core::Bytes> topics, core::Bytes value) {
  ports::ChainEvent event;
  event.contract_id = core::sample_contract;
  event.tx_hash = core::hash_of(0xa1);
  event.topics_xdr = std::move(topics);
  event.value_xdr = std::move(value);
  return event;
}

ports::ChainEvent event_of(std::string_view topic, std::uint64_t stream, core::Bytes value) {
  return event_of({symbol_xdr(topic), u64_xdr(stream)}, std::move(value));
}

ports::ChainEvent created(std::uint64_t stream) {
  return event_of("created", stream,
                  map_xdr({{"cliff_time", u64_xdr(1'000)},
                           {"deposit_amount", i128_xdr(core::tokens(1'000))},
                           {"end_time", u64_xdr(2'000)},
                           {"rate_per_second", i128_xdr(core::tokens(1))},
                           {"recipient", address_xdr(core::sample_recipient)},
                           {"sender", address_xdr(core::sample_sender)},
                           {"start_time", u64_xdr(1'000)},
                           {"stream_id", u64_xdr(stream)}}));
}

ports::ChainEvent withdrew(std::uint64_t stream, std::int64_t tokens) {
  return event_of("withdrew", stream, map_xdr({{"amount", i128_xdr(core::tokens(tokens))}}));
}

ports::ChainEvent delegated(std::uint64_t parent, std::uint64_t child) {
  // Seven tenths stay with the parent.
  return event_of("del_share", parent,
                  map_xdr({{"child_rate", i128_xdr({3'000'000})},
                           {"child_stream_id", u64_xdr(child)},
                           {"delegatee", address_xdr(core::sample_delegate)},
                           {"new_parent_rate", i128_xdr({7'000'000})},
                           {"parent_stream_id", u64_xdr(parent)}}));
}

ports::ChainEvent failed(ports::ChainEvent event) {
  event.in_successful_call = false;
  return event;
}

ports::ChainEvent placed(ports::ChainEvent event, std::uint32_t ledger, std::uint32_t index,
                         core::UnixSeconds closed_at) {
  char id[32];
  std::snprintf(id, sizeof id, "%019llu-%010u", static_cast<unsigned long long>(ledger) << 32, index);
  event.event_id = id;
  event.ledger = ledger;
  event.closed_at = closed_at;
  return event;
}

std::string stream_id(std::uint64_t number) {
  return core::chain_stream_id(core::sample_contract, number);
}

}  // namespace fluxora::indexer::test
