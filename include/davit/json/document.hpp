// SPDX-License-Identifier: Apache-2.0
// A parsed JSON text whose every value knows its pointer, line and column.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "davit/base/error.hpp"

namespace davit::json {

/// Limits that no document of a container comes near; beyond them a text is refused.
inline constexpr std::size_t kMaximumSize = 16u << 20;
inline constexpr std::uint32_t kMaximumDepth = 64;
inline constexpr std::uint32_t kMaximumNodes = 1u << 20;

enum class Kind : std::uint8_t { null, boolean, number, string, array, object, key };

class Value;

/// The text and a flat list of its values in document order; a key stands right before its value.
class Document {
 public:
  /// What came of a text. `document` is null after a syntax error; duplicate keys are errors, too, but leave
  /// a document, so that a reader can report them together with its own findings.
  struct Parsed {
    std::shared_ptr<const Document> document;
    std::vector<Error> errors;
  };
  /// Parses a whole text; `name` is how errors call the file.
  static Parsed parse(std::string text, std::string_view name);

  [[nodiscard]] Value root() const;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Value at(std::uint32_t node) const;
  /// File, line, column and pointer of a node (of a key: its own line and column, the pointer of its value).
  [[nodiscard]] Location locate(std::uint32_t node) const;
  /// The JSON pointer of a node (RFC 6901), with control characters escaped.
  [[nodiscard]] std::string pointer(std::uint32_t node) const;

 private:
  friend class Value;
  friend class Builder;

  struct Node {
    std::uint32_t offset;     ///< of the token in text_
    std::uint32_t content;    ///< where the string or number begins, in text_ or decoded_
    std::uint32_t size : 31;  ///< of the string or number; for a boolean its value
    std::uint32_t decoded : 1;
    std::uint32_t parent;  ///< the enclosing object or array; the root is its own parent
    std::uint32_t end;     ///< one past the last node inside
    Kind kind;
  };

  [[nodiscard]] std::string_view content(const Node& node) const {
    return std::string_view(node.decoded != 0 ? decoded_ : text_).substr(node.content, node.size);
  }
  /// Line and column (in characters) of a byte offset.
  void place(std::uint32_t offset, Location& location) const;
  /// The index of an element in its array.
  [[nodiscard]] std::uint32_t index_of(std::uint32_t node) const;

  /// Where the last search ended. Whoever reports asks in the order of the document: going on from there, all
  /// questions together cost one pass over it.
  struct PlaceFinger {
    std::uint32_t offset = 0;
    std::uint32_t line = 1;
    std::uint32_t column = 1;
  };
  struct IndexFinger {
    std::uint32_t parent = 0;
    std::uint32_t node = 0;
    std::uint32_t index = 0;
  };

  std::string text_;
  std::string decoded_;  ///< strings that had escapes
  std::string name_;
  std::vector<Node> nodes_;
  mutable PlaceFinger place_finger_;
  mutable IndexFinger index_finger_;
};

/// A handle to one value of a document, which must outlive it.
class Value {
 public:
  Value() = default;
  Value(const Document& document, std::uint32_t node) : document_(&document), node_(node) {}

  [[nodiscard]] Kind kind() const { return node().kind; }
  [[nodiscard]] const Document& document() const { return *document_; }
  [[nodiscard]] std::uint32_t index() const { return node_; }
  /// The decoded string, the key, or the number as written.
  [[nodiscard]] std::string_view text() const { return document_->content(node()); }
  [[nodiscard]] bool boolean() const { return node().size != 0; }
  /// The member of an object, or a Value that is not valid().
  [[nodiscard]] Value find(std::string_view key) const;
  /// The element of an array, or a Value that is not valid().
  [[nodiscard]] Value element(std::size_t index) const;
  [[nodiscard]] bool valid() const { return document_ != nullptr; }

  /// Number of members or elements.
  [[nodiscard]] std::size_t size() const;
  /// The first node inside and one past the last: in an object, keys and values take turns.
  [[nodiscard]] std::uint32_t begin_node() const { return node_ + 1; }
  [[nodiscard]] std::uint32_t end_node() const { return node().end; }
  /// The node after this value and all that is inside.
  [[nodiscard]] std::uint32_t next_node() const { return node().end; }

 private:
  [[nodiscard]] const Document::Node& node() const { return document_->nodes_[node_]; }

  const Document* document_ = nullptr;
  std::uint32_t node_ = 0;
};

inline Value Document::root() const {
  return Value(*this, 0);
}
inline Value Document::at(std::uint32_t node) const {
  return Value(*this, node);
}

/// "a string", "an object", ... for messages.
std::string_view kind_name(Kind kind);

/// Puts text between double quotes for a message: control characters escaped, at most `limit` bytes shown.
std::string quoted(std::string_view text, std::size_t limit = 80);

}  // namespace davit::json
