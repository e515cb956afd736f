#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include "fluxora/chain/stellar_rpc.hpp"
#include "fluxora/ports/contract_storage.hpp"
#include "fluxora/ports/log.hpp"

namespace fluxora::chain {

/// Contract storage over an RPC connection of its own, on a thread of its own. Reads that come while one is under way
/// are gathered into the next, so however many there are, the RPC has one to answer at a time, and a read waits for no
/// more than one other. More keys than fit into the next read are refused as busy.
class RpcContractStorage final : public ports::ContractStorage {
 public:
  /// Throws std::invalid_argument for a bad URL.
  RpcContractStorage(StellarRpcOptions options, ports::Log& log);
  ~RpcContractStorage() override;
  RpcContractStorage(const RpcContractStorage&) = delete;
  RpcContractStorage& operator=(const RpcContractStorage&) = delete;

  void read(std::vector<core::Bytes> keys, ports::StorageReply reply) override;
  /// Ends the read under way, fails what waits and everything later as unavailable, and joins. Nothing is replied on
  /// its thread after it.
  void stop();

 private:
  struct Read {
    std::vector<core::Bytes> keys;
    ports::StorageReply reply;
  };

  void run();
  void perform(std::vector<Read> reads);

  StellarRpc rpc_;
  ports::Log& log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Read> waiting_;
  std::size_t waiting_keys_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace fluxora::chain
