// SPDX-License-Identifier: Apache-2.0
// Where in a document a value stands, so that any layer can say which line of the config caused an error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "davit/base/error.hpp"

namespace davit::json {
class Document;
}

namespace davit::spec {

/// A handle to one JSON value. It borrows the document, which lives as long as the Config, Process or
/// Resources that was read from it keeps `document`; a default Position belongs to no document.
struct Position {
  const json::Document* document = nullptr;
  std::uint32_t node = 0;
};

/// The file, line, column and JSON pointer of a position. `below` names something inside it as a relative
/// pointer ("options/2", "resources/memory/limit"); what is not in the document keeps the line of its parent.
Location locate(const Position& position, std::string_view below = {});

/// The whole JSON pointer of a position; empty for the document itself and for no document.
std::string pointer_of(const Position& position, std::string_view below = {});

/// Fills `where` of an error that has none yet: `return at(mount.position, system_error(...))`.
Error at(const Position& position, Error error);
/// The same for a member or element below a position: `at(process.position, "cwd", make_error(...))`.
Error at(const Position& position, std::string_view below, Error error);

}  // namespace davit::spec
