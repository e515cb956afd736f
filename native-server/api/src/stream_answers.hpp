#pragma once

#include <string>

#include "fluxora/api/api.hpp"
#include "fluxora/core/cursor.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/ports/stream_reader.hpp"

namespace fluxora::api {

/// ports::as_of by the server's clock.
[[nodiscard]] core::UnixSeconds as_of(const core::Stream& stream, const ports::ReadPoint& point,
                                      const ports::Clock& clock);

/// The member `gap: {from, to}` of a resume that has one; nothing for the other outcomes. SPEC section 4.
void write_gap(core::JsonWriter& json, const core::ResumeDecision& decision);
/// The members `resume`, `cursor` and, of a gap, `gap`, as live feeds tell what a resume came to.
void write_resume(core::JsonWriter& json, std::string_view epoch, const core::ResumeDecision& decision);

/// Says how far the log was when an answer was read: X-Fluxora-Cursor. A feed that resumes from it misses nothing.
void add_cursor_header(net::Response& response, std::string_view epoch, std::uint64_t seq);

}  // namespace fluxora::api
