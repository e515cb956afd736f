#include "fluxora/chain/rpc_contract_storage.hpp"

#include <map>
#include <utility>

namespace fluxora::chain {
namespace {

using ports::StorageAnswer;
using ports::StorageFailure;

}  // namespace

RpcContractStorage::RpcContractStorage(StellarRpcOptions options, ports::Log& log)
    : rpc_(std::move(options)), log_(log), thread_([this] { run(); }) {}

RpcContractStorage::~RpcContractStorage() {
  stop();
}

void RpcContractStorage::read(std::vector<core::Bytes> keys, ports::StorageReply reply) {
  std::unique_lock lock(mutex_);
  if (stopping_ || waiting_keys_ + keys.size() > ports::max_storage_keys) {
    const StorageFailure failure = stopping_ ? StorageFailure::unavailable : StorageFailure::busy;
    lock.unlock();
    return reply(tl::unexpected(failure));
  }
  waiting_keys_ += keys.size();
  waiting_.push_back({std::move(keys), std::move(reply)});
  wake_.notify_one();
}

void RpcContractStorage::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  rpc_.cancel();
  if (thread_.joinable()) thread_.join();
}

void RpcContractStorage::run() {
  for (;;) {
    std::vector<Read> reads;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      reads.swap(waiting_);
      waiting_keys_ = 0;
    }
    perform(std::move(reads));
  }
}

void RpcContractStorage::perform(std::vector<Read> reads) {
  std::map<core::Bytes, std::size_t> places;  // each key once, whoever asks for it
  for (const Read& read : reads) {
    for (const core::Bytes& key : read.keys) places.emplace(key, places.size());
  }
  std::vector<core::Bytes> keys(places.size());
  for (const auto& [key, place] : places) keys[place] = key;

  StorageAnswer all;
  try {
    all = rpc_.contract_data(keys);
  } catch (const ports::ChainError& error) {
    log_.warn("storage_unread", error.what());
    for (const Read& read : reads) read.reply(tl::unexpected(StorageFailure::unavailable));
    return;
  }
  for (const Read& read : reads) {
    StorageAnswer answer{{}, all.ledger};
    for (const core::Bytes& key : read.keys) answer.entries.push_back(all.entries[places.at(key)]);
    read.reply(std::move(answer));
  }
}

}  // namespace fluxora::chain
