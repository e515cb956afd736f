#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <unordered_set>
#include <utility>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "transfer.hpp"

namespace fluxora::outbound {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t events_a_turn = 256;

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

void check_headers(const ports::WebhookRequest& request) {
  const auto is_clean = [](const std::string& text) {
    return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; });
  };
  for (const auto& [name, value] : request.headers) {
    if (!is_clean(name) || !is_clean(value)) throw std::invalid_argument("a header with a control character");
  }
}

void start_libcurl() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  require(result == CURLE_OK, "libcurl can't be started");
}

class FileDescriptor {
 public:
  FileDescriptor(int fd, const char* what) : fd_(fd) { require(fd >= 0, what); }
  ~FileDescriptor() { ::close(fd_); }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

}  // namespace

/// libcurl says which sockets and what time it waits for; only what has happened is looked at, however many requests
/// are on their way.
class CurlTransport::Impl {
 public:
  Impl(ports::Clock& clock, CurlTransportOptions options) : clock_(clock), options_(std::move(options)) {
    require(options_.ca_file.empty() || std::ifstream(options_.ca_file).good(), "the CA file can't be read");
    multi_.reset(curl_multi_init());
    require(multi_ != nullptr, "libcurl has no memory");
    set(CURLMOPT_SOCKETFUNCTION, &Impl::on_socket);
    set(CURLMOPT_SOCKETDATA, static_cast<void*>(this));
    set(CURLMOPT_TIMERFUNCTION, &Impl::on_timer);
    set(CURLMOPT_TIMERDATA, static_cast<void*>(this));
    set(CURLMOPT_MAXCONNECTS, static_cast<long>(options_.kept_connections));
    watch(wake_.get(), EPOLL_CTL_ADD, EPOLLIN);
    idle_.push_back(std::make_unique<Transfer>(options_, refused_));  // throws now where libcurl lacks something
  }

  ~Impl() { stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void start() {
    thread_ = std::thread([this] { run(); });
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake();
    if (thread_.joinable()) thread_.join();
    cancel_all();
  }

  void send(Job job) {
    {
      const std::lock_guard lock(mutex_);
      if (!stopping_) {
        waiting_.push_back(std::move(job));
        if (waiting_.size() == 1) wake();
        return;
      }
    }
    job.done(cancelled());
  }

 private:
  template <class Value>
  void set(CURLMoption option, Value value) {
    require(curl_multi_setopt(multi_.get(), option, value) == CURLM_OK, "libcurl lacks something");
  }

  void run() {
    std::array<epoll_event, events_a_turn> events;
    while (begin_waiting()) {
      const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), patience_ms());
      for (int i = 0; i < count; ++i) serve(events[static_cast<std::size_t>(i)]);
      if (deadline_ && SteadyClock::now() >= *deadline_) {
        deadline_.reset();
        act(CURL_SOCKET_TIMEOUT, 0);
      }
      look_again_at_refused();
      finish_done();
    }
    cancel_all();
  }

  /// False: it is over.
  bool begin_waiting() {
    std::vector<Job> jobs;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return false;
      jobs.swap(waiting_);
    }
    for (Job& job : jobs) begin(std::move(job));
    return true;
  }

  void begin(Job job) {
    std::unique_ptr<Transfer> transfer = idle_.empty() ? std::make_unique<Transfer>(options_, refused_) : take_idle();
    CURLcode result = CURLE_OK;
    if (transfer->begin(std::move(job), clock_.now())) {
      if (curl_multi_add_handle(multi_.get(), transfer->handle()) == CURLM_OK) {
        on_their_way_.insert(transfer.release());
        return;
      }
      result = CURLE_OUT_OF_MEMORY;
    }
    tell(std::move(transfer), result);
  }

  std::unique_ptr<Transfer> take_idle() {
    std::unique_ptr<Transfer> transfer = std::move(idle_.back());
    idle_.pop_back();
    return transfer;
  }

  [[nodiscard]] int patience_ms() const {
    if (!deadline_) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - SteadyClock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
  }

  void serve(const epoll_event& event) {
    if (event.data.fd == wake_.get()) {
      eventfd_t ignored = 0;
      ::eventfd_read(wake_.get(), &ignored);
      return;
    }
    const int in = (event.events & (EPOLLIN | EPOLLHUP)) != 0 ? CURL_CSELECT_IN : 0;
    const int out = (event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0;
    const int error = (event.events & EPOLLERR) != 0 ? CURL_CSELECT_ERR : 0;
    act(event.data.fd, in | out | error);
  }

  void act(curl_socket_t socket, int what) {
    int running = 0;
    curl_multi_socket_action(multi_.get(), socket, what, &running);
  }

  /// libcurl goes on to a name's next address, but where that one is refused as well it looks at the request again only
  /// when some time has run out. Pausing, which is over at once, makes it look now.
  void look_again_at_refused() {
    for (CURL* handle : std::exchange(refused_, {})) {
      curl_easy_pause(handle, CURLPAUSE_ALL);
      curl_easy_pause(handle, CURLPAUSE_CONT);
    }
  }

  void finish_done() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode result = message->data.result;  // gone with the handle's removal
      CURL* const handle = message->easy_handle;
      tell(take_back(Transfer::of(handle)), result);
    }
  }

  std::unique_ptr<Transfer> take_back(Transfer& transfer) {
    curl_multi_remove_handle(multi_.get(), transfer.handle());
    on_their_way_.erase(&transfer);
    return std::unique_ptr<Transfer>(&transfer);
  }

  void tell(std::unique_ptr<Transfer> transfer, CURLcode result) {
    ports::WebhookAnswer answer = transfer->finish(result);
    const auto done = transfer->take_done();
    idle_.push_back(std::move(transfer));
    done(std::move(answer));
  }

  [[nodiscard]] ports::WebhookAnswer cancelled() const {
    ports::WebhookAnswer answer;
    answer.failure = ports::TransportFailure::cancelled;
    answer.detail = "The service is ending.";
    answer.started_at = clock_.now();
    return answer;
  }

  void cancel_all() {
    while (!on_their_way_.empty()) {
      const std::unique_ptr<Transfer> transfer = take_back(**on_their_way_.begin());
      ports::WebhookAnswer answer = transfer->cancel();
      transfer->take_done()(std::move(answer));
    }
    std::vector<Job> jobs;
    {
      const std::lock_guard lock(mutex_);
      jobs.swap(waiting_);
    }
    for (const Job& job : jobs) job.done(cancelled());
  }

  void wake() noexcept { ::eventfd_write(wake_.get(), 1); }

  int watch(int fd, int operation, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    return ::epoll_ctl(epoll_.get(), operation, fd, &event);
  }

  static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void* watched) {
    auto& impl = *static_cast<Impl*>(self);
    if (what == CURL_POLL_REMOVE) {
      impl.watch(socket, EPOLL_CTL_DEL, 0);
      return 0;
    }
    const std::uint32_t in = (what & CURL_POLL_IN) != 0 ? std::uint32_t{EPOLLIN} : 0;
    const std::uint32_t out = (what & CURL_POLL_OUT) != 0 ? std::uint32_t{EPOLLOUT} : 0;
    if (watched == nullptr) curl_multi_assign(impl.multi_.get(), socket, self);
    const auto [likely, other] =
        watched == nullptr ? std::pair(EPOLL_CTL_ADD, EPOLL_CTL_MOD) : std::pair(EPOLL_CTL_MOD, EPOLL_CTL_ADD);
    // No error is told: libcurl would end all requests for one that can't be watched, which ends by its time-out.
    if (impl.watch(socket, likely, in | out) != 0) impl.watch(socket, other, in | out);
    return 0;
  }

  static int on_timer(CURLM*, long timeout_ms, void* self) {
    auto& impl = *static_cast<Impl*>(self);
    impl.deadline_.reset();
    if (timeout_ms >= 0) impl.deadline_ = SteadyClock::now() + std::chrono::milliseconds(timeout_ms);
    return 0;
  }

  ports::Clock& clock_;
  const CurlTransportOptions options_;
  const FileDescriptor epoll_{::epoll_create1(EPOLL_CLOEXEC), "no epoll"};
  const FileDescriptor wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "no eventfd"};
  std::thread thread_;

  std::mutex mutex_;  ///< for these two
  std::vector<Job> waiting_;
  bool stopping_ = false;

  // The thread's.
  std::optional<SteadyClock::time_point> deadline_;  ///< when libcurl wants to be asked without anything happening
  MultiHandle multi_;
  std::vector<CURL*> refused_;  ///< an address, in this turn
  std::vector<std::unique_ptr<Transfer>> idle_;
  std::unordered_set<Transfer*> on_their_way_;  ///< owned
};

CurlTransport::CurlTransport(ports::Clock& clock, CurlTransportOptions options) {
  start_libcurl();
  impl_ = std::make_unique<Impl>(clock, std::move(options));
}

CurlTransport::~CurlTransport() = default;

void CurlTransport::start() {
  impl_->start();
}

void CurlTransport::stop() {
  impl_->stop();
}

void CurlTransport::send(ports::WebhookRequest request, std::function<void(ports::WebhookAnswer)> done) {
  check_headers(request);
  impl_->send({std::move(request), std::move(done)});
}

}  // namespace fluxora::outbound
