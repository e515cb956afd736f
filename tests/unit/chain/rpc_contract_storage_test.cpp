#include "fluxora/chain/rpc_contract_storage.hpp"

#include <cstdint>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "fake_log.hpp"
#include "fake_rpc.hpp"
#include "fluxora/core/ledger_key.hpp"
#include "good_answers.hpp"
#include "stream_samples.hpp"

namespace fluxora::chain::test {
namespace {

using Answer = tl::expected<ports::StorageAnswer, ports::StorageFailure>;
using ports::StorageFailure;

core::Bytes stream_key(std::uint64_t number) {
  return *core::stream_ledger_key(core::chain_stream_id(core::sample_contract, number));
}

std::vector<core::Bytes> stream_keys(std::uint64_t count) {
  std::vector<core::Bytes> keys;
  for (std::uint64_t i = 0; i < count; ++i) keys.push_back(stream_key(1'000 + i));
  return keys;
}

std::uint32_t value_of(const std::optional<ports::StorageEntry>& entry) {
  return entry ? core::decode_contract_data(entry->key, entry->xdr)->u32().value_or(0) : 0;
}

class RpcContractStorageTest : public ::testing::Test {
 protected:
  RpcContractStorageTest() : storage_(options(), log_) {}

  std::future<Answer> read(std::vector<core::Bytes> keys) {
    auto promise = std::make_shared<std::promise<Answer>>();
    auto future = promise->get_future();
    storage_.read(std::move(keys), [promise](Answer answer) { promise->set_value(std::move(answer)); });
    return future;
  }

  void answer_with_entries(std::initializer_list<Json> found) {
    server_.answer(latest_ledger(90));
    server_.answer(entries(found, 90));
    server_.answer(ledgers_page(90, 90));
  }

  /// The next request waits until the test says so, and then fails.
  std::future<void> hold_next(std::future<void> until) {
    auto asked = std::make_shared<std::promise<void>>();
    auto gate = std::make_shared<std::future<void>>(std::move(until));
    auto came = asked->get_future();
    server_.answer_with([asked, gate](const Json&) {
      asked->set_value();
      gate->wait();
      return response("", 500);
    });
    return came;
  }

  FakeRpc server_;
  fakes::FakeLog log_;
  RpcContractStorage storage_;

 private:
  StellarRpcOptions options() {
    StellarRpcOptions options;
    options.url = server_.url();
    return options;
  }
};

TEST_F(RpcContractStorageTest, GivesTheEntriesInTheOrderOfTheKeys) {
  answer_with_entries({stream_entry(8, 6), stream_entry(7, 5)});
  const Answer answer = read({stream_key(7), stream_key(9), stream_key(8)}).get();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->ledger.hash, ledger_hash(90));
  ASSERT_EQ(answer->entries.size(), 3u);
  EXPECT_EQ(value_of(answer->entries[0]), 5u);
  EXPECT_FALSE(answer->entries[1]);
  EXPECT_EQ(value_of(answer->entries[2]), 6u);
}

TEST_F(RpcContractStorageTest, WhatWaitsIsGatheredIntoOneRead) {
  std::promise<void> go;
  std::future<void> held = hold_next(go.get_future());
  std::future<Answer> first = read({stream_key(1)});
  held.wait();
  answer_with_entries({stream_entry(7, 5), stream_entry(8, 6)});
  std::future<Answer> second = read({stream_key(7)});
  std::future<Answer> third = read({stream_key(8), stream_key(7)});
  go.set_value();

  const Answer failed = first.get();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error(), StorageFailure::unavailable);
  EXPECT_EQ(value_of(second.get()->entries[0]), 5u);
  const Answer both = third.get();
  EXPECT_EQ(value_of(both->entries[0]), 6u);
  EXPECT_EQ(value_of(both->entries[1]), 5u);
  EXPECT_EQ(server_.requests().size(), 4u);
  EXPECT_EQ(server_.params(2)["keys"].size(), 2u);  // each once
  EXPECT_EQ(log_.lines("storage_unread").size(), 1u);
}

TEST_F(RpcContractStorageTest, MoreThanFitsIntoTheNextReadIsBusy) {
  std::promise<void> go;
  std::future<void> held = hold_next(go.get_future());
  std::future<Answer> first = read({stream_key(1)});
  held.wait();
  std::future<Answer> full = read(stream_keys(ports::max_storage_keys));
  const Answer refused = read({stream_key(2)}).get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), StorageFailure::busy);
  answer_with_entries({});
  go.set_value();
  EXPECT_EQ(full.get()->entries.size(), ports::max_storage_keys);
}

TEST_F(RpcContractStorageTest, StoppingEndsWhatRunsAndWhatWaits) {
  std::promise<void> asked;
  server_.leave_unanswered([&] { asked.set_value(); });
  std::future<Answer> running = read({stream_key(1)});
  asked.get_future().wait();
  std::future<Answer> waiting = read({stream_key(2)});
  storage_.stop();
  for (std::future<Answer>* ended : {&running, &waiting}) {
    const Answer answer = ended->get();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error(), StorageFailure::unavailable);
  }
  const Answer later = read({stream_key(3)}).get();
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error(), StorageFailure::unavailable);
}

}  // namespace
}  // namespace fluxora::chain::test
