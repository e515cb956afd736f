#include "shared_counts.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

#include "fluxora/core/xdr.hpp"

namespace fluxora::redis {
namespace {

constexpr std::uint32_t format = 0x464c4331;  // "FLC1"
constexpr std::size_t max_address = 64;

}  // namespace

SharedCounts::SharedCounts(InstanceId self, const ports::Clock& clock, Publish publish)
    : self_(self), clock_(clock), publish_(std::move(publish)) {}

bool SharedCounts::is_current(const Theirs& theirs) const {
  const core::UnixMillis age = clock_.now() - theirs.heard_at;
  return age >= 0 && age < forget_after.count();
}

std::size_t SharedCounts::elsewhere(const std::string& address) const {
  const std::lock_guard lock(mutex_);
  const auto found = theirs_.find(address);
  if (found == theirs_.end()) return 0;
  std::size_t sum = 0;
  for (const Theirs& theirs : found->second) sum += is_current(theirs) ? theirs.count : 0;
  return sum;
}

void SharedCounts::changed(const std::string& address, std::size_t here) {
  if (address.size() > max_address) return;
  const std::lock_guard lock(mutex_);
  if (here > 0) {
    ours_[address] = static_cast<std::uint32_t>(std::min<std::size_t>(here, std::numeric_limits<std::uint32_t>::max()));
    untold_.insert(address);
    return;
  }
  ours_.erase(address);
  // Nothing is told while Redis is away, and addresses come and go all the same.
  if (untold_.size() < max_untold) {
    untold_.insert(address);
  } else {
    untold_.erase(address);
  }
}

void SharedCounts::tick() {
  {
    const std::lock_guard lock(mutex_);
    const core::UnixMillis since = clock_.now() - told_all_at_;
    if (since < 0 || since >= tell_all_every.count()) {
      told_all_at_ = clock_.now();
      for (const auto& [address, count] : ours_) untold_.insert(address);
      forget_old();
    }
  }
  for (std::size_t i = 0; i < messages_a_tick; ++i) {
    std::string message = next_message();
    // What can't be sent now is told with everything, or forgotten there.
    if (message.empty() || !publish_(std::move(message))) return;
  }
}

std::string SharedCounts::next_message() {
  const std::lock_guard lock(mutex_);
  if (untold_.empty()) return {};
  core::Bytes bytes;
  core::XdrWriter xdr(bytes);
  xdr.write_u32(format);
  xdr.write_fixed(self_);
  std::size_t left = std::min(untold_.size(), addresses_a_message);
  for (xdr.write_u32(static_cast<std::uint32_t>(left)); left > 0; --left) {
    const auto address = untold_.begin();
    const auto count = ours_.find(*address);
    xdr.write_string(*address);
    xdr.write_u32(count == ours_.end() ? 0 : count->second);
    untold_.erase(address);
  }
  return {bytes.begin(), bytes.end()};
}

bool SharedCounts::take(std::string_view message) {
  core::XdrReader xdr(core::as_bytes(message));
  if (xdr.read_u32() != format) return false;
  InstanceId instance{};
  const core::ByteView sender = xdr.read_fixed(instance.size());
  std::copy(sender.begin(), sender.end(), instance.begin());
  const std::uint32_t count = xdr.read_u32();
  if (count > addresses_a_message) return false;
  std::vector<std::pair<std::string, std::uint32_t>> told;
  for (std::uint32_t i = 0; i < count && !xdr.failed(); ++i) {
    const core::ByteView address = xdr.read_variable(max_address);
    told.emplace_back(std::string(address.begin(), address.end()), xdr.read_u32());
  }
  if (xdr.failed() || xdr.remaining() != 0) return false;
  if (instance == self_) return true;
  const std::lock_guard lock(mutex_);
  for (const auto& [address, feeds] : told) note(instance, address, feeds);
  return true;
}

void SharedCounts::note(const InstanceId& instance, const std::string& address, std::uint32_t count) {
  const auto found = theirs_.find(address);
  if (found == theirs_.end()) {
    if (count > 0 && theirs_.size() < max_addresses) theirs_[address] = {{instance, count, clock_.now()}};
    return;
  }
  std::vector<Theirs>& all = found->second;
  std::erase_if(all, [&](const Theirs& one) { return one.instance == instance || !is_current(one); });
  if (count > 0 && all.size() < max_instances) all.push_back({instance, count, clock_.now()});
  if (all.empty()) theirs_.erase(found);
}

void SharedCounts::forget_old() {
  for (auto address = theirs_.begin(); address != theirs_.end();) {
    std::erase_if(address->second, [this](const Theirs& one) { return !is_current(one); });
    address = address->second.empty() ? theirs_.erase(address) : std::next(address);
  }
}

std::size_t SharedCounts::addresses_elsewhere() const {
  const std::lock_guard lock(mutex_);
  return theirs_.size();
}

}  // namespace fluxora::redis
