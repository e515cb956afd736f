#include "contract_tokens.hpp"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "fluxora/core/amount.hpp"
#include "fluxora/core/contract_instance.hpp"
#include "fluxora/core/ledger_key.hpp"
#include "halt.hpp"

namespace fluxora::indexer {
namespace {

/// Those of the contracts' instances that there are.
std::map<std::string, core::ScVal> read_instances(ports::ChainSource& chain,
                                                  const std::vector<std::string>& contracts) {
  std::map<std::string, core::ScVal> instances;
  std::vector<core::Bytes> keys;
  for (const std::string& contract : contracts) keys.push_back(*core::instance_ledger_key(contract));
  if (keys.empty()) return instances;
  const ports::StorageAnswer answer = chain.contract_data(keys);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!answer.entries[i]) continue;
    auto instance = core::decode_contract_data(keys[i], answer.entries[i]->xdr);
    if (instance) instances.emplace(contracts[i], std::move(*instance));
  }
  return instances;
}

}  // namespace

ContractTokens::ContractTokens(const std::string& contracts, ports::ChainSource& chain) : chain_(chain) {
  for (std::size_t from = 0; from <= contracts.size();) {
    const std::size_t comma = std::min(contracts.find(',', from), contracts.size());
    std::string contract = contracts.substr(from, comma - from);
    if (core::instance_ledger_key(contract)) contracts_.insert(std::move(contract));
    from = comma + 1;
  }
}

void ContractTokens::learn() {
  learn_tokens();
  learn_decimals();
}

void ContractTokens::forget() {
  tokens_.clear();
  fit_.clear();
}

std::optional<std::string> ContractTokens::of_stream(std::string_view stream_id) const {
  const auto known = tokens_.find(stream_id.substr(0, stream_id.find('-')));
  return known != tokens_.end() ? known->second : std::nullopt;
}

void ContractTokens::learn_tokens() {
  std::vector<std::string> unknown;
  for (const std::string& contract : contracts_) {
    if (tokens_.count(contract) == 0) unknown.push_back(contract);
  }
  for (const auto& [contract, instance] : read_instances(chain_, unknown)) {
    tokens_[contract] = core::contract_token(instance);
  }
}

void ContractTokens::learn_decimals() {
  std::set<std::string> unknown;
  for (const auto& [contract, token] : tokens_) {
    if (token && fit_.count(*token) == 0) unknown.insert(*token);
  }
  for (const auto& [token, instance] : read_instances(chain_, {unknown.begin(), unknown.end()})) {
    const std::optional<std::uint32_t> decimals = core::token_decimals(instance);
    if (decimals && *decimals != std::uint32_t{core::amount_decimals}) {
      const auto payer =
          std::find_if(tokens_.begin(), tokens_.end(), [&](const auto& of) { return of.second == token; });
      throw Halt("Fluxora refuses to follow contract " + payer->first + ": its token " + token + " has " +
                 std::to_string(*decimals) + " decimals, and amounts here have " +
                 std::to_string(core::amount_decimals) + ". Take it out of CONTRACT_IDS.");
    }
    fit_.insert(token);
  }
}

}  // namespace fluxora::indexer
