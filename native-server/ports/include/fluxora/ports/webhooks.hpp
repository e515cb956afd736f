#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/cursor.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/audit_log.hpp"
#include "fluxora/ports/delivery_id.hpp"
#include "fluxora/ports/delivery_queue.hpp"
#include "fluxora/ports/store_result.hpp"

/// Webhooks as those who manage them see them. SPEC section 8, "Sending".
namespace fluxora::ports {

/// What an endpoint wants to hear of: entries that fit all of it.
struct WebhookFilter {
  std::vector<core::EventName> events;  ///< in their own order, none twice; empty: all
  std::string stream_id;                ///< empty, as the following: any
  std::string sender;
  std::string recipient;

  friend bool operator==(const WebhookFilter&, const WebhookFilter&) = default;
};

struct WebhookEndpoint {
  std::uint64_t id = 0;
  bool configured = false;  ///< by FLUXORA_WEBHOOK_URL: what defines it can't be changed through the API
  std::string url;
  std::string description;
  WebhookFilter filter;
  bool enabled = true;
  std::string disabled_reason;  ///< operator, gone, failing, backlog, configuration; empty: it is enabled
  std::optional<core::UnixMillis> disabled_at;
  std::optional<core::UnixMillis> failing_since;
  std::optional<core::UnixMillis> previous_secret_until;  ///< when the last of the former ones ends
  core::Cursor since;  ///< enabled: entries behind it are delivered; disabled: those behind it are not
  core::UnixMillis created_at = 0;
  core::UnixMillis updated_at = 0;
};

struct NewWebhookEndpoint {
  std::string url;
  std::string description;
  WebhookFilter filter;
  bool enabled = true;
};

/// What isn't there stays as it is. The filter's members one by one, so that who changes one doesn't undo what somebody
/// else has just made of another.
struct WebhookEndpointChange {
  std::optional<std::string> url;
  std::optional<std::string> description;
  std::optional<std::vector<core::EventName>> events;  ///< as WebhookFilter has them, empty ones too
  std::optional<std::string> stream_id;
  std::optional<std::string> sender;
  std::optional<std::string> recipient;
  std::optional<bool> enabled;
};

enum class WebhookRefusal : std::uint8_t {
  unknown,          ///< there is no such endpoint, delivery or job
  configured,       ///< its definition is the configuration's
  too_many,         ///< endpoints
  disabled,         ///< nothing is delivered to the endpoint as it is
  cancelled,        ///< its endpoint is gone
  other_epoch,      ///< the cursor is of another log
  beyond_head,      ///< the cursor is of entries that aren't there yet
  pruned,           ///< entries behind the cursor aren't there any more
  already_running,  ///< a replay for the endpoint
  wrong_state,      ///< of a replay
};
template <class T>
using WebhookOutcome = tl::expected<T, WebhookRefusal>;

/// As webhook_deliveries.state has them.
enum class DeliveryState : std::uint8_t { waiting, delivered, dead, cancelled };

struct WebhookDelivery {
  std::string id;
  std::uint64_t endpoint = 0;
  std::string event;
  std::string stream_id;               ///< empty: none
  std::optional<core::Cursor> cursor;  ///< of the entry; none: a test
  DeliveryState state = DeliveryState::waiting;
  unsigned attempts = 0;
  std::optional<core::UnixMillis> due_at;  ///< while it waits and is the next of its lane
  std::optional<unsigned> last_status;     ///< of the newest attempt
  std::string last_error;                  ///< of the newest attempt
  core::UnixMillis created_at = 0;
  std::optional<core::UnixMillis> finished_at;
};

struct WebhookAttempt {
  unsigned number = 0;
  core::UnixMillis at = 0;
  std::int64_t duration_ms = 0;
  std::optional<unsigned> status;
  std::string error;
  std::string detail;
  std::string response;
};

struct WebhookDeliveryDetails {
  WebhookDelivery delivery;
  std::string body;
  std::vector<WebhookAttempt> attempts;  ///< oldest first; the newest attempts_shown
};
inline constexpr std::size_t attempts_shown = 100;

/// Where a list of deliveries goes on, also once this one is gone.
struct DeliveryPlace {
  DeliveryKey key;
  core::UnixMillis created_at = 0;

  friend bool operator==(const DeliveryPlace&, const DeliveryPlace&) = default;
};

struct DeliveryQuery {
  std::optional<std::uint64_t> endpoint;  ///< none: of all, which is quick for dead ones only
  std::optional<DeliveryState> state;
  std::optional<DeliveryPlace> after;  ///< the last of the page before
  std::size_t limit = 20;
};

struct DeliveryPage {
  /// Of one endpoint: tests first, then by cursor, the newest first, the present log's before those of logs before it.
  /// Of all: by creation, the newest first.
  std::vector<WebhookDelivery> deliveries;
  bool has_more = false;
};

struct WebhookEndpointPage {
  std::vector<WebhookEndpoint> endpoints;  ///< newest first
  bool has_more = false;
};

enum class WebhookReplayState : std::uint8_t { running, paused, done, failed, cancelled };

struct WebhookReplay {
  std::uint64_t id = 0;
  std::uint64_t endpoint = 0;
  std::string epoch;
  std::uint64_t after_seq = 0;    ///< entries above this one
  std::uint64_t through_seq = 0;  ///< up to this one
  std::uint64_t place = 0;        ///< those up to this one were looked at
  std::uint64_t deliveries = 0;   ///< that came of it so far
  WebhookReplayState state = WebhookReplayState::running;
  std::string message;  ///< of a failure
  core::UnixMillis created_at = 0;
  core::UnixMillis updated_at = 0;
  std::optional<core::UnixMillis> finished_at;
};

struct WebhookReplayQuery {
  std::optional<std::uint64_t> endpoint;  ///< none: of all
  std::optional<std::uint64_t> before;    ///< the id of the last of the page before
  std::size_t limit = 20;
};

struct WebhookReplayPage {
  std::vector<WebhookReplay> replays;  ///< newest first
  bool has_more = false;
};

/// Rotation: the new secret signs from now on. Beside it the one before, and those before that as long as they had.
struct SecretRotation {
  core::Bytes secret;                            ///< sealed
  std::optional<core::UnixMillis> former_until;  ///< none: from now on no former one signs
};
/// Of an endpoint: one more drops the oldest.
inline constexpr std::size_t max_former_secrets = 4;

inline constexpr std::size_t max_webhook_endpoints = 100'000;

/// Every change leaves its record in the audit log, in its own transaction; the store adds action, target and detail,
/// never a secret. Never blocks the caller.
class Webhooks {
 public:
  virtual ~Webhooks() = default;

  /// `seal` is called with the id that the endpoint gets, before anything is kept, on a thread of the store's: a sealed
  /// secret is bound to its endpoint.
  using SealSecret = std::function<core::Bytes(std::uint64_t endpoint)>;
  virtual void create(NewWebhookEndpoint endpoint, SealSecret seal, AuditRecord by,
                      Reply<WebhookOutcome<WebhookEndpoint>> reply) = 0;
  virtual void list(std::optional<std::uint64_t> before, std::size_t limit, Reply<WebhookEndpointPage> reply) = 0;
  virtual void find(std::uint64_t id, Reply<std::optional<WebhookEndpoint>> reply) = 0;
  /// Enabling clears why it was disabled and since when it fails; what waited goes on.
  virtual void change(std::uint64_t id, WebhookEndpointChange change, AuditRecord by,
                      Reply<WebhookOutcome<WebhookEndpoint>> reply) = 0;
  /// What waits for it is cancelled; what was delivered stays to be seen as long as it is kept.
  virtual void remove(std::uint64_t id, AuditRecord by, Reply<WebhookOutcome<bool>> reply) = 0;
  virtual void rotate(std::uint64_t id, SecretRotation rotation, AuditRecord by,
                      Reply<WebhookOutcome<WebhookEndpoint>> reply) = 0;
  /// Makes a delivery of `webhook.test` with this body for it, beside whatever waits.
  virtual void test(std::uint64_t id, std::string body, AuditRecord by,
                    Reply<WebhookOutcome<WebhookDelivery>> reply) = 0;

  virtual void deliveries(DeliveryQuery query, Reply<DeliveryPage> reply) = 0;
  virtual void delivery(DeliveryKey key, Reply<std::optional<WebhookDeliveryDetails>> reply) = 0;
  /// Delivered and dead ones wait again, with all tries before them; one that waits is due at once.
  virtual void redeliver(DeliveryKey key, AuditRecord by, Reply<WebhookOutcome<WebhookDelivery>> reply) = 0;
  /// The same for the oldest `limit` dead ones of an endpoint. Answers how many.
  virtual void redeliver_dead(std::uint64_t endpoint, std::size_t limit, AuditRecord by,
                              Reply<WebhookOutcome<std::uint64_t>> reply) = 0;

  /// Entries above `after` up to `through` (not before it; none: the log's end now) are delivered to the endpoint,
  /// those that it had already under the id that they had.
  virtual void start_replay(std::uint64_t endpoint, core::Cursor after, std::optional<core::Cursor> through,
                            AuditRecord by, Reply<WebhookOutcome<WebhookReplay>> reply) = 0;
  virtual void replays(WebhookReplayQuery query, Reply<WebhookReplayPage> reply) = 0;
  virtual void replay(std::uint64_t id, Reply<std::optional<WebhookReplay>> reply) = 0;
  enum class ReplayAction : std::uint8_t { pause, resume, cancel };
  virtual void change_replay(std::uint64_t id, ReplayAction action, AuditRecord by,
                             Reply<WebhookOutcome<WebhookReplay>> reply) = 0;
};

}  // namespace fluxora::ports
