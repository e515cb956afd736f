// What the indexer writes into PostgreSQL, without a chain and without a server: durable ingest, the same rows by COPY
// alone, and a rollback. tests/load/indexer.mjs runs it and makes a table of what it prints.
#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <libpq-fe.h>

#include "chain_events.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/indexer/ingest.hpp"
#include "load_log.hpp"
#include "resident_memory.hpp"

namespace {

using namespace fluxora;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t events_a_ledger = 100;
constexpr std::uint32_t ledgers_a_batch = 10;
constexpr std::size_t rows_a_batch = std::size_t{events_a_ledger} * ledgers_a_batch;
constexpr std::uint64_t one_creation_in = 10;
// As the indexer's own, when it leaves a fork: what one transaction undoes.
constexpr std::size_t rollback_entries = 50'000;

/// Event `number` of the chain: one in ten creates a stream, the others withdraw from one of those created before.
ports::ChainEvent event_at(std::uint64_t number, core::UnixSeconds closed_at) {
  const std::uint64_t created = number / one_creation_in;
  if (number % one_creation_in == 0) return load::creation(created, closed_at);
  // Spread over all of them, the same in every run.
  return indexer::test::withdrew((number * 2'654'435'761U) % (created + 1), 1);
}

indexer::LedgerBatch batch_from(std::uint32_t first) {
  indexer::LedgerBatch batch;
  batch.first = first;
  batch.last = first + ledgers_a_batch - 1;
  if (first > 1) batch.closed_before = load::header_of(first - 1).closed_at;
  for (std::uint32_t ledger = first; ledger <= batch.last; ++ledger) {
    batch.headers.push_back(load::header_of(ledger));
    for (std::uint32_t index = 0; index < events_a_ledger; ++index) {
      const std::uint64_t number = std::uint64_t{ledger - 1} * events_a_ledger + index;
      const core::UnixSeconds closed_at = batch.headers.back().closed_at;
      batch.events.push_back(indexer::test::placed(event_at(number, closed_at), ledger, index, closed_at));
    }
  }
  return batch;
}

struct Figures {
  std::uint64_t count = 0;
  Clock::duration took{};
};

void print(const Figures& figures) {
  std::string text;
  core::JsonWriter json(text);
  json.begin_object();
  json.key("count").unsigned_integer(figures.count);
  json.key("microseconds")
      .unsigned_integer(
          static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(figures.took).count()));
  json.key("residentKiB").unsigned_integer(load::resident_kib("self"));
  json.end_object();
  std::cout << text << std::endl;
}

/// Goes on behind the checkpoint, by so many events. Making them isn't part of the time.
Figures ingest(const std::string& url, std::uint64_t events) {
  load::LoadLog log(url);
  Figures figures;
  while (figures.count < events) {
    const indexer::LedgerBatch batch = batch_from(log.next_ledger());
    const Clock::time_point begun = Clock::now();
    figures.count += log.ingest(batch);
    figures.took += Clock::now() - begun;
  }
  return figures;
}

/// Back by so many ledgers, as the indexer goes back where it finds a fork.
Figures roll_back(const std::string& url, std::uint32_t ledgers) {
  load::LoadLog log(url);
  const std::uint32_t newest = log.checkpoint().value().ledger;
  if (newest <= ledgers) throw std::invalid_argument("the log has only " + std::to_string(newest) + " ledgers");
  const std::uint32_t target = newest - ledgers;
  const Clock::time_point begun = Clock::now();
  Figures figures;
  while (log.checkpoint()->ledger > target) figures.count += log.roll_back(target, rollback_entries);
  figures.took = Clock::now() - begun;
  return figures;
}

/// libpq itself: nothing between the rows and COPY.
class Session {
 public:
  explicit Session(const std::string& url) : connection_(PQconnectdb(url.c_str()), PQfinish) {
    if (PQstatus(get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(get()));
  }
  [[nodiscard]] PGconn* get() const { return connection_.get(); }

  void run(const char* sql, ExecStatusType expected = PGRES_COMMAND_OK) { expect(PQexec(get(), sql), expected); }
  void expect(PGresult* result, ExecStatusType expected) {
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    if (status != expected) throw std::runtime_error(PQerrorMessage(get()));
  }
  void finish_copy() {
    while (PGresult* result = PQgetResult(get())) expect(result, PGRES_COMMAND_OK);
  }

 private:
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

/// The newest `count` rows of `events`, as COPY writes them, a text for each thousand.
std::vector<std::string> newest_rows(const std::string& url, std::uint64_t count) {
  Session session(url);
  const std::string sql = "COPY (SELECT * FROM events WHERE seq > (SELECT seq FROM log_head) - " +
                          std::to_string(count) + " ORDER BY seq) TO STDOUT";
  session.run(sql.c_str(), PGRES_COPY_OUT);
  std::vector<std::string> batches;
  std::size_t rows = 0;
  char* row = nullptr;
  for (int size; (size = PQgetCopyData(session.get(), &row, 0)) > 0; PQfreemem(row)) {
    if (rows++ % rows_a_batch == 0) batches.emplace_back();
    batches.back().append(row, static_cast<std::size_t>(size));
  }
  session.finish_copy();
  return batches;
}

/// The newest `count` rows of `events` of one database into the same table of another, a transaction each thousand.
Figures copy_rows(const std::string& from, const std::string& to, std::uint64_t count) {
  const std::vector<std::string> batches = newest_rows(from, count);
  Session session(to);
  const Clock::time_point begun = Clock::now();
  for (const std::string& batch : batches) {
    session.run("COPY events FROM STDIN", PGRES_COPY_IN);
    if (PQputCopyData(session.get(), batch.data(), static_cast<int>(batch.size())) != 1 ||
        PQputCopyEnd(session.get(), nullptr) != 1) {
      throw std::runtime_error(PQerrorMessage(session.get()));
    }
    session.finish_copy();
  }
  return {batches.size() * rows_a_batch, Clock::now() - begun};
}

Figures run(const std::vector<std::string>& arguments) {
  const auto number = [&](std::size_t at) { return std::stoull(arguments.at(at)); };
  const std::string& what = arguments.at(0);
  if (what == "ingest") return ingest(arguments.at(1), number(2));
  if (what == "rollback") return roll_back(arguments.at(1), static_cast<std::uint32_t>(number(2)));
  if (what == "copy") return copy_rows(arguments.at(1), arguments.at(2), number(3));
  throw std::invalid_argument("ingest URL EVENTS | rollback URL LEDGERS | copy FROM_URL TO_URL ROWS");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    print(run({argv + 1, argv + argc}));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
