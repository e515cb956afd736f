#include "session_bench.hpp"

#include <utility>

namespace fluxora::hub::test {
namespace {

std::string told(const std::string& topic, const Subscribed& subscribed) {
  switch (subscribed.problem) {
    case Subscribed::Problem::too_many: return topic + " too many";
    case Subscribed::Problem::unavailable: return topic + " unavailable";
    case Subscribed::Problem::none: break;
  }
  const core::ResumeDecision& decision = subscribed.decision;
  std::string text = topic + " " + std::string(core::resume_name(decision.outcome)) + " after " +
                     core::format_cursor({subscribed.epoch, decision.after_seq});
  if (decision.outcome == core::Resume::gap) {
    text += " without " + std::to_string(decision.gap_from) + " to " + std::to_string(decision.gap_to);
  }
  return text;
}

/// The number behind `"seq":` of an update.
std::string seq_of(const std::string& frame) {
  const std::size_t from = frame.find("\"seq\":") + 6;
  return frame.substr(from, frame.find(',', from) - from);
}

}  // namespace

void RecordingOutlet::send(Frame frame) {
  ++backlog_.messages;
  backlog_.bytes += frame->size();
  sent.push_back(seq_of(*frame));
  if (on_send) on_send(std::stoull(sent.back()));
  frames.push_back(std::move(frame));
}

SessionBench::SessionBench(std::size_t entries, std::optional<std::uint64_t> tail) {
  log.append_many(entries);
  begin_at(tail.value_or(log.extent.head_seq));
}

void SessionBench::begin_at(std::uint64_t tail, const FeedLimits& limits) {
  session.reset();
  published = tail;
  shard = std::make_unique<FeedShard>(
      queue, TailPosition{log.extent.epoch, tail},
      [this](std::function<void()> task) { mailbox.push_back(std::move(task)); }, limits);
  session = std::make_shared<FeedSession>(*shard, outlet, FeedFormat::websocket);
}

void SessionBench::subscribe(const Topic& topic, const std::optional<core::Cursor>& after) {
  const std::string name = topic.kind == Topic::Kind::all ? "*" : topic.value.substr(topic.value.size() - 1);
  session->subscribe(topic, after, [this, name](const Subscribed& subscribed) { outlet.note(told(name, subscribed)); });
}

void SessionBench::publish_up_to(std::uint64_t seq) {
  const auto batch = std::make_shared<PublishedBatch>(log.extent.epoch, published);
  for (; published < seq; ++published) batch->add(log.entry(published + 1));
  shard->publish(batch);
}

void SessionBench::happen(std::size_t count) {
  log.append_many(count);
  publish_all();
}

void SessionBench::answer() {
  log.answer();
  run_mailbox();
}

void SessionBench::run_mailbox() {
  while (!mailbox.empty()) {
    const std::function<void()> task = std::move(mailbox.front());
    mailbox.pop_front();
    task();
  }
}

void SessionBench::drain() {
  outlet.set_drained();
  session->on_drained();
}

void SessionBench::tick(unsigned times) {
  for (unsigned i = 0; i < times; ++i) shard->tick(0);
}

void SessionBench::settle() {
  while (log.waiting() > 0 || !mailbox.empty() || !outlet.drained()) {
    run_mailbox();
    while (log.waiting() > 0) answer();
    drain();
  }
}

Topic of_stream(std::uint64_t number) {
  return {Topic::Kind::stream, stream_id(number)};
}
Topic to_recipient(std::string address) {
  return {Topic::Kind::recipient, std::move(address)};
}
Topic from_sender(std::string address) {
  return {Topic::Kind::sender, std::move(address)};
}
core::Cursor at(std::uint64_t seq) {
  return {"e1", seq};
}

std::vector<std::string> sequence(std::vector<std::string> notes, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t seq = first; seq <= last; ++seq) notes.push_back(std::to_string(seq));
  return notes;
}

}  // namespace fluxora::hub::test
