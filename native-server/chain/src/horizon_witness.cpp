#include "fluxora/chain/horizon_witness.hpp"

#include <algorithm>
#include <utility>

#include "rpc_answers.hpp"

namespace fluxora::chain {
namespace {

using State = ports::WitnessSight::State;

// The root document is some kilobytes; nobody waits for it, but an indexer that starts.
constexpr net::HttpClientOptions http_limits{2'000, 3'000, 256 * 1024, {}};

net::HttpClientOptions http_options(const HorizonOptions& options) {
  net::HttpClientOptions http = http_limits;
  http.ca_file = options.ca_file;
  return http;
}

}  // namespace

HorizonWitness::HorizonWitness(HorizonOptions options, ports::Clock& clock, ports::Log& log)
    : options_(std::move(options)),
      url_(net::parse_url(options_.url)),
      clock_(clock),
      log_(log),
      http_(url_, http_options(options_)) {}

HorizonWitness::~HorizonWitness() {
  stop();
}

void HorizonWitness::start() {
  thread_ = std::thread([this] {
    while (clock_.sleep(look() ? options_.interval : options_.retry)) {
    }
  });
}

void HorizonWitness::stop() {
  http_.cancel();
  if (thread_.joinable()) thread_.join();
}

ports::WitnessSight HorizonWitness::sight() const {
  const std::lock_guard lock(mutex_);
  return sight_;
}

bool HorizonWitness::look() {
  try {
    const net::HttpClientResponse response = http_.get(url_.target);
    if (response.status != 200) throw std::runtime_error("it answered HTTP " + std::to_string(response.status));
    HorizonRoot root = read_horizon_root(parse_answer(response.body));
    const std::lock_guard lock(mutex_);
    const State before = std::exchange(sight_.state, State::seen);
    sight_.network_passphrase = std::move(root.network_passphrase);
    sight_.latest_ledger = root.latest_ledger;
    if (before == State::unreachable) log_.info("horizon_recovered", "");
    return true;
  } catch (const net::HttpClientError& error) {
    if (error.kind() != net::HttpClientError::Kind::cancelled) note_trouble(error.what());
  } catch (const std::exception& error) {
    note_trouble(error.what());
  }
  return false;
}

void HorizonWitness::note_trouble(const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(sight_.state, State::unreachable) != State::unreachable) log_.warn("horizon_unavailable", why);
}

}  // namespace fluxora::chain
