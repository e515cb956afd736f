#include "fluxora/core/feed_client.hpp"

#include <algorithm>
#include <utility>

namespace fluxora::core {
namespace {

using Step = FeedClient::Step;

constexpr bool can_go_on(Resume outcome) {
  return outcome == Resume::live || outcome == Resume::resumed;
}

Step only(FeedClient::Action action) {
  return {action, 0, 0, {}};
}

}  // namespace

FeedClient::FeedClient(Scope scope, const std::optional<Cursor>& from) : scope_(scope) {
  if (from) begin_at(*from);
}

bool FeedClient::opened(Resume outcome, const Cursor& position) {
  if (lost_ || !can_go_on(outcome)) {
    lost_ = true;
    return false;
  }
  if (!cursor_) {
    begin_at(position);
    return true;
  }
  // A feed that begins above our position leaves out what lies between.
  const bool skips = outcome == Resume::live && position.seq > cursor_->seq;
  lost_ = position.epoch != cursor_->epoch || skips;
  // It hands in what was asked for; what it leaves out is asked for again.
  asking_ = false;
  return !lost_;
}

FeedClient::Step FeedClient::entry(const Cursor& at, std::string_view stream_id,
                                   std::optional<std::uint64_t> prev_seq) {
  if (lost_) return only(Action::refetch);
  // What comes before the feed says where it begins is none of what it promises.
  if (!cursor_) return only(Action::drop);
  if (at.epoch != cursor_->epoch) return lose();

  if (scope_ != Scope::party) stream_id = {};
  const auto place = place_of(stream_id);
  const bool known = place != places_.end() && (*place)->stream_id == stream_id;
  if (at.seq <= (known ? (*place)->held : floor_)) return only(Action::drop);
  const std::optional<std::uint64_t> prev = scope_ == Scope::whole_log ? at.seq - 1 : prev_seq;
  if (prev && *prev >= at.seq) return lose();
  if (!known) {
    add_chain(stream_id, at.seq, true);
    note(at.seq);
    return only(Action::apply);
  }

  const Chain& chain = **place;
  if (prev && *prev > chain.held) return wait(*place, at.seq);
  // An entry that claims to follow an older one than its chain's last contradicts what was applied.
  if (chain.begun && prev != chain.held) return lose();
  return apply(*place, at.seq);
}

FeedClient::Step FeedClient::replayed(Resume outcome) {
  if (lost_ || !can_go_on(outcome)) return lose();
  asking_ = false;
  return open_.empty() ? only(Action::drop) : ask(open_.front());
}

void FeedClient::refetched(const Cursor& at) {
  begin_at(at);
}

FeedClient::Places::iterator FeedClient::place_of(std::string_view stream_id) {
  return std::lower_bound(places_.begin(), places_.end(), stream_id,
                          [](Chains::iterator chain, std::string_view id) { return chain->stream_id < id; });
}

void FeedClient::begin_at(const Cursor& at) {
  cursor_ = at;
  lost_ = false;
  asking_ = false;
  floor_ = at.seq;
  newest_ = at.seq;
  places_.clear();
  whole_.clear();
  open_.clear();
  if (scope_ != Scope::party) add_chain({}, at.seq, false);
}

void FeedClient::add_chain(std::string_view stream_id, std::uint64_t held, bool begun) {
  // Those with a hole are kept: there are fewer of them than max_streams.
  if (places_.size() == max_streams) {
    floor_ = std::max(floor_, whole_.back().held);
    places_.erase(place_of(whole_.back().stream_id));
    whole_.pop_back();
  }
  whole_.push_front({std::string(stream_id), held, begun, 0, 0});
  const auto at = static_cast<std::size_t>(place_of(stream_id) - places_.begin());
  places_.push_back(whole_.begin());
  for (std::size_t i = places_.size() - 1; i > at; --i) places_[i] = places_[i - 1];
  places_[at] = whole_.begin();
}

FeedClient::Step FeedClient::apply(Chains::iterator chain, std::uint64_t seq) {
  chain->held = seq;
  chain->begun = true;
  chain->asks = 0;
  const bool had_hole = chain->hole_to != 0;
  if (seq >= chain->hole_to) {
    chain->hole_to = 0;
    whole_.splice(whole_.begin(), had_hole ? open_ : whole_, chain);
  }
  note(seq);
  return only(Action::apply);
}

FeedClient::Step FeedClient::wait(Chains::iterator chain, std::uint64_t seq) {
  if (chain->hole_to == 0) {
    if (open_.size() == max_open_holes) return lose();
    open_.splice(open_.end(), whole_, chain);
  }
  chain->hole_to = std::max(chain->hole_to, seq);
  note(seq);
  return asking_ ? only(Action::drop) : ask(*chain);
}

FeedClient::Step FeedClient::ask(Chain& chain) {
  if (chain.asks == max_asks) return lose();
  ++chain.asks;
  asking_ = true;
  return {Action::ask, chain.held, chain.hole_to, chain.stream_id};
}

FeedClient::Step FeedClient::lose() {
  lost_ = true;
  return only(Action::refetch);
}

void FeedClient::note(std::uint64_t seq) {
  newest_ = std::max(newest_, seq);
  std::uint64_t shown = newest_;
  for (const Chain& chain : open_) shown = std::min(shown, chain.held);
  cursor_->seq = shown;
}

}  // namespace fluxora::core
