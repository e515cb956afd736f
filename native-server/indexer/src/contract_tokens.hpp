#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "fluxora/ports/chain_source.hpp"

namespace fluxora::indexer {

/// Which token each followed contract pays in. SPEC section 2, `token`.
class ContractTokens {
 public:
  /// `contracts`: comma separated.
  ContractTokens(const std::string& contracts, ports::ChainSource& chain);

  /// Reads what isn't known yet from the contracts' instances. What isn't there stays unknown until the next time.
  /// Throws Halt where a token's decimals are known and not 7, ChainError.
  void learn();
  /// Forgets everything: contracts can be given another configuration.
  void forget();

  /// None: not known.
  [[nodiscard]] std::optional<std::string> of_stream(std::string_view stream_id) const;

 private:
  void learn_tokens();
  void learn_decimals();

  ports::ChainSource& chain_;
  std::set<std::string> contracts_;
  std::map<std::string, std::optional<std::string>, std::less<>> tokens_;  ///< of the contracts whose instance was read
  std::set<std::string> fit_;                                              ///< tokens whose instance was read
};

}  // namespace fluxora::indexer
