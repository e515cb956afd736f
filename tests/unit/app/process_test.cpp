#include "process.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace fluxora::app {
namespace {

/// A service manager's end of NOTIFY_SOCKET.
class Receiver {
 public:
  /// `address`: as in NOTIFY_SOCKET.
  explicit Receiver(const std::string& address) : descriptor_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un own{};
    own.sun_family = AF_UNIX;
    std::memcpy(own.sun_path, address.data(), address.size());
    if (own.sun_path[0] == '@') own.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    bound_ = bind(descriptor_, reinterpret_cast<const sockaddr*>(&own), length) == 0;
  }
  ~Receiver() { close(descriptor_); }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  [[nodiscard]] bool bound() const { return bound_; }
  /// What has come; empty for nothing.
  [[nodiscard]] std::string take() const {
    std::array<char, 64> text{};
    const ssize_t size = recv(descriptor_, text.data(), text.size(), 0);
    return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
  }

 private:
  int descriptor_;
  bool bound_ = false;
};

TEST(ServiceManager, IsToldThroughAPath) {
  const std::string path = testing::TempDir() + "fluxora-notify-" + std::to_string(getpid());
  std::filesystem::remove(path);
  const Receiver manager(path);
  ASSERT_TRUE(manager.bound());
  notify_service_manager(path, "READY=1");
  EXPECT_EQ(manager.take(), "READY=1");
  std::filesystem::remove(path);
}

TEST(ServiceManager, IsToldThroughAnAbstractName) {
  const std::string name = "@fluxora-notify-" + std::to_string(getpid());
  const Receiver manager(name);
  ASSERT_TRUE(manager.bound());
  notify_service_manager(name, "STOPPING=1");
  EXPECT_EQ(manager.take(), "STOPPING=1");
}

TEST(ServiceManager, MayBeMissing) {
  notify_service_manager("", "READY=1");
  notify_service_manager("/nonexistent/notify", "READY=1");
  notify_service_manager("/" + std::string(200, 'x'), "READY=1");
}

TEST(InstalledDemoRoot, IsEmptyWhereNothingIsInstalled) {
  EXPECT_EQ(installed_demo_root(), "");  // this program is in a build folder
}

}  // namespace
}  // namespace fluxora::app
