#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <thread>

#include "fluxora/net/http_client.hpp"
#include "fluxora/ports/chain_witness.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/log.hpp"

namespace fluxora::chain {

struct HorizonOptions {
  std::string url;  ///< of its root document
  std::string ca_file;
  std::chrono::milliseconds interval{60'000};  ///< between looks that went well
  std::chrono::milliseconds retry{10'000};     ///< behind one that didn't
};

/// Reads Horizon's root document at the start and every minute, on a thread of its own: nobody waits for it.
class HorizonWitness final : public ports::ChainWitness {
 public:
  /// Throws std::invalid_argument for a bad URL.
  HorizonWitness(HorizonOptions options, ports::Clock& clock, ports::Log& log);
  ~HorizonWitness() override;
  HorizonWitness(const HorizonWitness&) = delete;
  HorizonWitness& operator=(const HorizonWitness&) = delete;

  void start();
  /// Ends the look under way and joins. The clock must be ending, or its next sleep is waited for.
  void stop();

  [[nodiscard]] ports::WitnessSight sight() const override;

  /// One look. start() calls it in a loop; tests call it themselves. True where it went well.
  bool look();

 private:
  void note_trouble(const std::string& why);

  const HorizonOptions options_;
  const net::Url url_;
  ports::Clock& clock_;
  ports::Log& log_;
  net::HttpClient http_;
  mutable std::mutex mutex_;
  ports::WitnessSight sight_;
  std::thread thread_;
};

}  // namespace fluxora::chain
