// Runs seeds of the simulation. fluxora_simulation --help
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "simulation.hpp"

namespace {

using fluxora::simulation::Difference;
using fluxora::simulation::Simulation;
using fluxora::simulation::Statistics;

constexpr const char* help =
    "fluxora_simulation [--seeds COUNT] [--from SEED]   runs COUNT seeds (1000) from SEED (1) on\n"
    "fluxora_simulation --kept FILE                     runs the seeds that stand in a file, each the first word of a "
    "line\n"
    "fluxora_simulation --seed SEED [--trace]           runs one; --trace tells each step\n"
    "Ends with 1 when a seed differs from the model; each that does is printed with the command that replays it. A run "
    "of\n1000 seeds or more ends with 1 too when something that can happen never did.\n";

constexpr int most_failures = 10;  // after so many the cause is rarely another
constexpr std::size_t seeds_that_see_all = 1'000;

// Made before a seed runs, for an aborting process can't make it any more.
std::array<char, 512> last_words{};
std::size_t last_words_size = 0;

/// An assertion or an exception that nothing could catch ends the process: say of which seed.
void at_abort(int) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, last_words.data(), last_words_size);
}

void prepare_last_words(std::uint64_t seed, const char* program) {
  const auto shown = static_cast<unsigned long long>(seed);
  const int size = std::snprintf(last_words.data(), last_words.size(),
                                 "seed %llu: aborted\n  replay: %s --seed %llu --trace\n", shown, program, shown);
  last_words_size = std::min(static_cast<std::size_t>(std::max(size, 0)), last_words.size() - 1);
}

struct Wanted {
  std::uint64_t from = 1;
  std::uint64_t count = 1'000;
  std::string kept;
  bool trace = false;
};

std::uint64_t number(std::string_view name, const char* text) {
  if (text == nullptr) throw std::invalid_argument(std::string(name) + " takes a number");
  return std::stoull(text);
}

Wanted read_arguments(int argc, char** argv) {
  Wanted wanted;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (name == "--trace") {
      wanted.trace = true;
      continue;
    }
    if (name == "--seeds") {
      wanted.count = number(name, value);
    } else if (name == "--from") {
      wanted.from = number(name, value);
    } else if (name == "--seed") {
      wanted.from = number(name, value);
      wanted.count = 1;
    } else if (name == "--kept" && value != nullptr) {
      wanted.kept = value;
    } else {
      throw std::invalid_argument("unknown argument " + std::string(name));
    }
    ++i;
  }
  return wanted;
}

std::vector<std::uint64_t> seeds_of(const Wanted& wanted) {
  std::vector<std::uint64_t> seeds;
  if (wanted.kept.empty()) {
    for (std::uint64_t i = 0; i < wanted.count; ++i) seeds.push_back(wanted.from + i);
    return seeds;
  }
  std::ifstream file(wanted.kept);
  if (!file) throw std::invalid_argument("can't read " + wanted.kept);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') seeds.push_back(std::stoull(line));
  }
  return seeds;
}

/// What differed; none: nothing.
std::optional<std::string> run(std::uint64_t seed, bool trace, Statistics& sum) {
  try {
    Simulation simulation(seed, trace);
    sum.add(simulation.run());
    return std::nullopt;
  } catch (const Difference& difference) {
    return difference.what;
  } catch (const std::exception& error) {
    return std::string("an exception that nothing handled: ") + error.what();
  }
}

struct Counter {
  const char* name;
  std::uint64_t count;
};

std::vector<Counter> counters(const Statistics& sum) {
  return {{"rounds", sum.rounds},
          {"commits", sum.commits},
          {"log entries", sum.entries},
          {"  of time", sum.time_entries},
          {"  observed", sum.observations},
          {"  retractions", sum.retractions},
          {"  through the API", sum.api_writes},
          {"  brought late", sum.late_events},
          {"forks", sum.forks},
          {"rollbacks", sum.rollbacks},
          {"  deepest, ledgers", sum.deepest_rollback},
          {"resets", sum.resets},
          {"halted rounds", sum.halts},
          {"deaths", sum.deaths},
          {"leaders overtaken", sum.overtaken},
          {"RPC faults", sum.rpc_faults},
          {"database faults", sum.store_faults}};
}

/// Prints what happened. False: so many seeds, and something never did, so that nothing was tested with it.
bool print(const Statistics& sum, std::size_t seeds) {
  bool all_happened = true;
  for (const Counter& counter : counters(sum)) {
    std::printf("  %-18s %llu\n", counter.name, static_cast<unsigned long long>(counter.count));
    if (counter.count > 0 || seeds < seeds_that_see_all) continue;
    std::printf("  never happened: %s\n", counter.name);
    all_happened = false;
  }
  return all_happened;
}

int run_all(const Wanted& wanted, const char* program) {
  Statistics sum;
  int failures = 0;
  std::size_t done = 0;
  const std::vector<std::uint64_t> seeds = seeds_of(wanted);
  for (const std::uint64_t seed : seeds) {
    ++done;
    prepare_last_words(seed, program);
    const std::optional<std::string> difference = run(seed, wanted.trace, sum);
    if (!difference) continue;
    std::printf("seed %llu: %s\n  replay: %s --seed %llu --trace\n", static_cast<unsigned long long>(seed),
                difference->c_str(), program, static_cast<unsigned long long>(seed));
    std::fflush(stdout);
    if (++failures == most_failures) break;
  }
  const bool all_happened = print(sum, done);
  std::printf("%zu seeds, %d differ from the model\n", done, failures);
  return failures == 0 && done > 0 && all_happened ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--help") {
    std::fputs(help, stdout);
    return 0;
  }
  std::signal(SIGABRT, at_abort);
  try {
    return run_all(read_arguments(argc, argv), argv[0]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fluxora_simulation: %s\n%s", error.what(), help);
    return 2;
  }
}
