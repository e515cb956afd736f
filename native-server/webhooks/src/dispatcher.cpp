#include "fluxora/webhooks/dispatcher.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "fluxora/ports/store_result.hpp"
#include "fluxora/webhooks/delivery_request.hpp"
#include "fluxora/webhooks/lane_board.hpp"

namespace fluxora::webhooks {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Also how long a delivery may wait whose wake-up was lost, and one that is tried again beyond its time.
constexpr milliseconds look_every{1'000};
constexpr milliseconds retry_after{500};
// What ends meanwhile is recorded together.
constexpr milliseconds shortest_round{5};
// The log grows without bringing anything for us: then wake-ups are heard so often only.
constexpr milliseconds longest_deafness{50};
// Disabling waits for whoever appends, and recording for that: so it isn't tried all the time.
constexpr core::UnixMillis disable_again_ms = 1'000;
// Nothing is begun so shortly before our claims may be over: the queue says only now and then that we live, and a
// request should be on its way by then.
constexpr core::UnixMillis claims_margin_ms = 5'000;

std::string_view failure_of(const ports::WebhookAnswer& answer) {
  return ports::transport_failure_name(answer.failure);
}

}  // namespace

class Dispatcher::Impl : public std::enable_shared_from_this<Dispatcher::Impl> {
 public:
  Impl(DispatcherOptions options, std::unique_ptr<ports::DeliveryQueue> queue, ports::WebhookTransport& transport,
       const core::SecretBox* secrets, ports::Clock& clock, ports::Random& random, ports::Log& log,
       ports::Tracer* tracer)
      : configured_secret_(std::move(options.configured_secret)),
        queue_(std::move(queue)),
        transport_(transport),
        secrets_(secrets),
        clock_(clock),
        random_(random),
        log_(log),
        tracer_(tracer),
        board_(options) {}

  void start() {
    thread_ = std::thread([this] { run(); });
  }

  void wake() {
    if (woken_.exchange(true)) return;
    {
      const std::lock_guard lock(mutex_);
    }  // whoever is about to wait has looked already, or sees it
    changed_.notify_one();
  }

  void begin_stop() {
    {
      const std::lock_guard lock(mutex_);
      board_.close();
      stopping_ = true;
    }
    changed_.notify_one();
  }

  void stop(milliseconds within) {
    begin_stop();
    {
      const std::lock_guard lock(mutex_);
      if (left_) return;
      stop_by_ = steady_clock::now() + within;
    }
    changed_.notify_one();
    if (thread_.joinable()) {
      thread_.join();
    } else {
      leave();
    }
  }

  /// What is in flight ends for nobody. Without a thread: as a crash leaves it.
  void end() {
    if (thread_.joinable()) stop(milliseconds(0));
    const std::lock_guard lock(mutex_);
    board_.disown();
    queue_.reset();
  }

  void round() {
    try {
      record();
      claim();
      disable_endpoints();
      note_well();
    } catch (const ports::StoreUnavailable& error) {
      note_trouble(error.what());
    } catch (const std::exception& error) {
      log_.error("webhook_dispatcher_error", error.what());
      note_trouble(error.what());
    }
    send_what_is_next();
  }

  [[nodiscard]] DispatcherStatistics statistics() const {
    const std::lock_guard lock(mutex_);
    DispatcherStatistics now = board_.statistics();
    now.queue_failures = queue_failures_;
    now.queue_error = queue_error_;
    return now;
  }

 private:
  void run() {
    while (!is_over()) {
      const auto begun = steady_clock::now();
      round();
      wait(begun);
    }
    leave();
  }

  [[nodiscard]] bool is_over() const {
    const std::lock_guard lock(mutex_);
    return is_over_locked();
  }
  [[nodiscard]] bool is_over_locked() const {
    if (!stop_by_) return false;
    const bool all_done = board_.in_flight() == 0 && unrecorded_.empty() && !board_.has_record();
    return all_done || steady_clock::now() >= *stop_by_;
  }

  void wait(steady_clock::time_point begun) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, begun + shortest_round, [this] { return stopping_; });
    const bool in_trouble = !queue_error_.empty();
    auto until = steady_clock::now() + (in_trouble ? retry_after : look_every);
    if (stop_by_) until = std::min(until, *stop_by_);
    const auto has_work = [this, in_trouble, had_an_end = stop_by_.has_value()] {
      return is_over_locked() || stop_by_.has_value() != had_an_end ||
             (!in_trouble && (board_.has_record() || (board_.next_disabling() && !may_not_disable_)));
    };
    const auto hears_from = std::min(until, begun + std::min(shortest_round * (1 << empty_claims_), longest_deafness));
    if (!changed_.wait_until(lock, hears_from, has_work)) {
      changed_.wait_until(lock, until, [&] { return has_work() || (!in_trouble && woken_); });
    }
    woken_ = false;
  }

  void record() {
    if (unrecorded_.empty()) {
      const std::lock_guard lock(mutex_);
      unrecorded_ = board_.take_record();
    }
    if (unrecorded_.empty()) return;
    queue_->record(unrecorded_);
    const std::lock_guard lock(mutex_);
    unrecorded_ = {};
    board_.recorded();
  }

  void disable_endpoints() {
    const core::UnixMillis now = clock_.now();
    if (may_not_disable_ && now >= put_off_at_ && now - put_off_at_ < disable_again_ms) return;
    may_not_disable_ = false;
    while (const auto disabling = first_disabling()) {
      const ports::DisableEnd end = queue_->disable(disabling->endpoint, disabling->url, disabling->reason);
      if (end == ports::DisableEnd::not_now) {
        may_not_disable_ = true;
        put_off_at_ = now;
        return;
      }
      {
        const std::lock_guard lock(mutex_);
        board_.disabled(end == ports::DisableEnd::done);
      }
      if (end != ports::DisableEnd::done) continue;
      log_.warn("webhook_endpoint_disabled", "nothing is delivered to it until somebody enables it",
                {{"endpoint", disabling->endpoint}, {"reason", ports::disable_reason_name(disabling->reason)}});
    }
  }

  [[nodiscard]] std::optional<LaneBoard::Disabling> first_disabling() const {
    const std::lock_guard lock(mutex_);
    return board_.next_disabling();
  }

  void claim() {
    // From before the question on: the database counts from when it answers.
    const core::UnixMillis asked_at = clock_.now();
    ports::ClaimWish wish;
    {
      const std::lock_guard lock(mutex_);
      wish = board_.wish(asked_at);
    }
    ports::Claim claim = queue_->claim(wish);
    if (claim.lost_former) {
      log_.warn("webhook_claims_lost", "this dispatcher was silent for too long; what it had claimed is anyone's");
    }
    empty_claims_ = claim.lanes.empty() ? std::min(empty_claims_ + 1, 4) : 0;
    const std::vector<std::shared_ptr<const EndpointSigner>> signers = open_secrets(claim.targets);
    const std::lock_guard lock(mutex_);
    board_.add(std::move(claim), signers, asked_at, asked_at + ports::dispatcher_life_ms - claims_margin_ms);
  }

  std::vector<std::shared_ptr<const EndpointSigner>> open_secrets(const std::vector<ports::EndpointTarget>& targets) {
    std::vector<std::shared_ptr<const EndpointSigner>> signers;
    signers.reserve(targets.size());
    for (const ports::EndpointTarget& target : targets) signers.push_back(signer_of(target));
    return signers;
  }

  std::shared_ptr<const EndpointSigner> signer_of(const ports::EndpointTarget& target) {
    {
      const std::lock_guard lock(mutex_);
      auto held = board_.signer(target.id);
      if (held && held->is_of(target)) return held;
    }
    auto signer = EndpointSigner::open(target, secrets_, configured_secret_);
    if (!signer) {
      tell_unreadable(target.id, "newest");
    } else if (signer->lacks_former()) {
      tell_unreadable(target.id, "former");
    }
    return signer;
  }

  /// Once an endpoint, as far as is remembered: what can't be opened is looked at again every minute.
  void tell_unreadable(std::uint64_t endpoint, std::string_view which) {
    constexpr std::size_t most_remembered = 10'000;
    if (told_unreadable_.size() >= most_remembered) told_unreadable_.clear();
    if (!told_unreadable_.insert(endpoint).second) return;
    log_.error("webhook_secret_unreadable", "WEBHOOK_SECRET_KEYS has no key that opens an endpoint's secret",
               {{"endpoint", endpoint}, {"secret", which}});
  }

  void note_well() {
    bool was_in_trouble = false;
    {
      const std::lock_guard lock(mutex_);
      was_in_trouble = !std::exchange(queue_error_, {}).empty();
    }
    if (was_in_trouble) log_.info("webhook_queue_available", "");
  }

  void note_trouble(const char* what) {
    bool is_new = false;
    {
      const std::lock_guard lock(mutex_);
      board_.doubt_claims();
      is_new = queue_error_.empty();
      queue_error_ = *what == '\0' ? "unknown" : what;
      ++queue_failures_;
    }
    if (is_new) log_.warn("webhook_queue_unavailable", what);
  }

  /// Begins whatever may begin. On any thread.
  void send_what_is_next() {
    while (auto job = next()) send(std::move(*job));
  }

  [[nodiscard]] std::optional<LaneBoard::Job> next() {
    const std::lock_guard lock(mutex_);
    return board_.next(clock_.now());
  }

  void send(LaneBoard::Job job) {
    std::shared_ptr<ports::Span> span = begin_span(job);
    try {
      ports::WebhookRequest request = make_delivery_request(job.url(), job.signer(), job.delivery(), job.at,
                                                            span ? span->traceparent() : std::string());
      transport_.send(std::move(request), [self = shared_from_this(), job, span](ports::WebhookAnswer answer) mutable {
        end_span(std::move(span), answer);
        self->take_answer(job, answer);
      });
    } catch (const std::exception& error) {
      log_.error("webhook_unsendable", error.what(), {{"delivery", job.delivery().id}});
      const std::lock_guard lock(mutex_);
      board_.unsendable(job);
    }
  }

  void take_answer(const LaneBoard::Job& job, const ports::WebhookAnswer& answer) {
    const bool failed = answer.failure != ports::TransportFailure::none || answer.status / 100 != 2;
    const std::uint32_t chance = failed ? draw() : 0;
    LaneBoard::Ended ended;
    bool is_news = false;
    {
      const std::lock_guard lock(mutex_);
      is_news = !board_.has_record();
      ended = board_.answered(job, answer, clock_.now(), chance);
      is_news = is_news || stopping_;
    }
    if (is_news) changed_.notify_one();
    tell(job, answer, ended);
    send_what_is_next();
  }

  [[nodiscard]] std::uint32_t draw() {
    std::array<std::uint8_t, 4> bytes{};
    random_.fill(bytes);
    std::uint32_t number = 0;
    for (const std::uint8_t byte : bytes) number = number << 8 | byte;
    return number;
  }

  void tell(const LaneBoard::Job& job, const ports::WebhookAnswer& answer, const LaneBoard::Ended& ended) {
    const std::uint64_t endpoint = job.key().endpoint;
    if (ended.outcome == AttemptOutcome::dead) {
      const ports::ClaimedDelivery& delivery = job.delivery();
      log_.warn("webhook_dead_letter", "the last try of a delivery failed",
                {{"endpoint", endpoint},
                 {"delivery", delivery.id},
                 {"type", delivery.event},
                 {"attempts", delivery.attempts + 1},
                 {"status", answer.status},
                 {"error", failure_of(answer)}});
    }
    if (ended.circuit_opened) {
      log_.warn("webhook_circuit_opened", "an endpoint is left alone for a while",
                {{"endpoint", endpoint},
                 {"pauseMs", ended.circuit_ms},
                 {"status", answer.status},
                 {"error", failure_of(answer)}});
    }
    if (ended.circuit_closed) log_.info("webhook_circuit_closed", "", {{"endpoint", endpoint}});
  }

  [[nodiscard]] std::unique_ptr<ports::Span> begin_span(const LaneBoard::Job& job) {
    if (tracer_ == nullptr) return nullptr;
    auto span = tracer_->start_detached(ports::SpanKind::client, "POST webhook", job.delivery().traceparent);
    if (!span) return nullptr;
    // Not the URL: many have a secret in it.
    span->set("http.request.method", "POST");
    span->set("fluxora.webhook.endpoint", static_cast<std::int64_t>(job.key().endpoint));
    span->set("fluxora.webhook.delivery", job.delivery().id);
    span->set("fluxora.webhook.attempt", static_cast<std::int64_t>(job.delivery().attempts) + 1);
    return span;
  }

  static void end_span(std::shared_ptr<ports::Span> span, const ports::WebhookAnswer& answer) {
    if (!span) return;
    if (answer.status != 0) span->set("http.response.status_code", static_cast<std::int64_t>(answer.status));
    if (answer.failure != ports::TransportFailure::none) {
      span->fail(failure_of(answer));
    } else if (answer.status >= 400) {
      span->fail(std::to_string(answer.status));
    }
  }

  /// What ended is recorded, if that can be, and what is claimed is given back.
  void leave() {
    try {
      record();
      {
        const std::lock_guard lock(mutex_);
        unrecorded_ = board_.take_record();
        board_.disown();
      }
      if (!unrecorded_.empty()) queue_->record(std::exchange(unrecorded_, {}));
      queue_->leave();
    } catch (const std::exception& error) {
      log_.warn("webhook_dispatcher_left", "the database wasn't told; others take over in some seconds",
                {{"error", error.what()}});
    }
    const std::lock_guard lock(mutex_);
    board_.disown();
    left_ = true;
  }

  const std::string configured_secret_;
  std::unique_ptr<ports::DeliveryQueue> queue_;  // of the thread
  ports::WebhookTransport& transport_;
  const core::SecretBox* const secrets_;
  ports::Clock& clock_;
  ports::Random& random_;
  ports::Log& log_;
  ports::Tracer* const tracer_;
  std::unordered_set<std::uint64_t> told_unreadable_;  // of the thread
  int empty_claims_ = 0;                               // of the thread: in a row, as far as it matters
  bool may_not_disable_ = false;                       // of the thread: others keep us from it, as of put_off_at_
  core::UnixMillis put_off_at_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  LaneBoard board_;
  ports::DispatchRecord unrecorded_;  // taken from the board; changed by the thread alone, under the mutex
  std::uint64_t queue_failures_ = 0;
  std::string queue_error_;
  bool stopping_ = false;
  bool left_ = false;
  std::optional<steady_clock::time_point> stop_by_;
  std::atomic<bool> woken_{false};
  std::thread thread_;
};

Dispatcher::Dispatcher(DispatcherOptions options, std::unique_ptr<ports::DeliveryQueue> queue,
                       ports::WebhookTransport& transport, const core::SecretBox* secrets, ports::Clock& clock,
                       ports::Random& random, ports::Log& log, ports::Tracer* tracer)
    : impl_(std::make_shared<Impl>(std::move(options), std::move(queue), transport, secrets, clock, random, log,
                                   tracer)) {}

Dispatcher::~Dispatcher() {
  impl_->end();
}

void Dispatcher::start() {
  impl_->start();
}

void Dispatcher::wake() {
  impl_->wake();
}

void Dispatcher::begin_stop() {
  impl_->begin_stop();
}

void Dispatcher::stop(milliseconds within) {
  impl_->stop(within);
}

DispatcherStatistics Dispatcher::statistics() const {
  return impl_->statistics();
}

void Dispatcher::round() {
  impl_->round();
}

}  // namespace fluxora::webhooks
