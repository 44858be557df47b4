// SPDX-License-Identifier: Apache-2.0
#include "bus/message.hpp"

#include <dbus/dbus.h>

#include <cerrno>
#include <memory>

namespace davit::bus {
namespace {

struct Release {
  void operator()(DBusMessage* message) const { ::dbus_message_unref(message); }
};
using Message = std::unique_ptr<DBusMessage, Release>;

constexpr std::size_t kHeader = 16;            // DBUS_MINIMUM_HEADER_SIZE
constexpr std::size_t kMostBytes = 16U << 20;  // the protocol's own limit is eight times that

Error out_of_memory() {
  return system_error(ENOMEM, "D-Bus message");
}

Error unfit(const Value& value) {
  return make_error(Code::invalid_argument, "a D-Bus message cannot hold this value of type " + value.type);
}

Result<void> append(DBusMessageIter& to, const Value& value);

Result<void> append_text(DBusMessageIter& to, const Value& value) {
  // libdbus aborts where it is handed what may not be in a message.
  const char* text = value.text.c_str();
  const bool whole = value.text.find('\0') == std::string::npos;
  bool fit = whole;
  if (value.type == "s") fit = whole && ::dbus_validate_utf8(text, nullptr) != 0;
  if (value.type == "o") fit = whole && ::dbus_validate_path(text, nullptr) != 0;
  if (value.type == "g") fit = whole && ::dbus_signature_validate(text, nullptr) != 0;
  if (!fit) return unfit(value);
  if (::dbus_message_iter_append_basic(&to, value.type[0], static_cast<const void*>(&text)) == 0)
    return out_of_memory();
  return {};
}

Result<void> append_container(DBusMessageIter& to, const Value& value) {
  const char kind = value.type[0] == '(' ? DBUS_TYPE_STRUCT : value.type[0];
  std::string content;
  if (kind == DBUS_TYPE_ARRAY) content = value.type.substr(1);
  if (kind == DBUS_TYPE_VARIANT) content = value.parts.empty() ? "" : value.parts.front().type;
  if (kind != DBUS_TYPE_STRUCT && ::dbus_signature_validate_single(content.c_str(), nullptr) == 0)
    return unfit(value);
  if (kind == DBUS_TYPE_STRUCT && value.parts.empty()) return unfit(value);
  DBusMessageIter inner;
  if (::dbus_message_iter_open_container(&to, kind, kind == DBUS_TYPE_STRUCT ? nullptr : content.c_str(),
                                         &inner) == 0)
    return out_of_memory();
  for (const Value& part : value.parts) {
    auto appended =
        kind == DBUS_TYPE_ARRAY && part.type != content ? Result<void>(unfit(part)) : append(inner, part);
    if (!appended.ok()) {
      ::dbus_message_iter_abandon_container(&to, &inner);
      return appended;
    }
  }
  if (::dbus_message_iter_close_container(&to, &inner) == 0) return out_of_memory();
  return {};
}

Result<void> append(DBusMessageIter& to, const Value& value) {
  if (value.type.empty()) return unfit(value);
  const char kind = value.type[0];
  if (kind == 's' || kind == 'o' || kind == 'g') return append_text(to, value);
  if (kind == 'a' || kind == '(' || kind == 'v') return append_container(to, value);
  DBusBasicValue basic = {};
  switch (kind) {
    case 'y':
      basic.byt = static_cast<unsigned char>(value.number);
      break;
    case 'b':
      basic.bool_val = value.number != 0 ? 1 : 0;
      break;
    case 'n':
    case 'q':
      basic.u16 = static_cast<std::uint16_t>(value.number);
      break;
    case 'i':
    case 'u':
      basic.u32 = static_cast<std::uint32_t>(value.number);
      break;
    case 'x':
    case 't':
      basic.u64 = value.number;
      break;
    case 'd':
      basic.dbl = value.real;
      break;
    default:
      return unfit(value);
  }
  if (::dbus_message_iter_append_basic(&to, kind, &basic) == 0) return out_of_memory();
  return {};
}

void read_basic(DBusMessageIter& from, Value& value) {
  DBusBasicValue basic = {};
  ::dbus_message_iter_get_basic(&from, &basic);
  switch (value.type[0]) {
    case 's':
    case 'o':
    case 'g':
      value.text = basic.str;
      break;
    case 'y':
      value.number = basic.byt;
      break;
    case 'b':
      value.number = basic.bool_val;
      break;
    case 'n':
      value.number = static_cast<std::uint64_t>(std::int64_t{basic.i16});
      break;
    case 'q':
      value.number = basic.u16;
      break;
    case 'i':
      value.number = static_cast<std::uint64_t>(std::int64_t{basic.i32});
      break;
    case 'u':
      value.number = basic.u32;
      break;
    case 'd':
      value.real = basic.dbl;
      break;
    default:
      value.number = basic.u64;
  }
}

/// Everything from the iterator on; libdbus has checked the message, its nesting included.
std::vector<Value> read(DBusMessageIter from) {
  std::vector<Value> values;
  for (int kind; (kind = ::dbus_message_iter_get_arg_type(&from)) != DBUS_TYPE_INVALID;) {
    char* signature = ::dbus_message_iter_get_signature(&from);
    Value value{.type = signature != nullptr ? signature : ""};
    ::dbus_free(signature);
    // A descriptor, which libdbus would duplicate, is never asked for; and neither is a dictionary read.
    if (kind == DBUS_TYPE_UNIX_FD || value.type.empty()) return values;
    if (::dbus_type_is_basic(kind) != 0) {
      read_basic(from, value);
    } else {
      DBusMessageIter inner;
      ::dbus_message_iter_recurse(&from, &inner);
      value.parts = read(inner);
    }
    values.push_back(std::move(value));
    ::dbus_message_iter_next(&from);
  }
  return values;
}

std::vector<Value> values_of(DBusMessage* message) {
  DBusMessageIter from;
  if (::dbus_message_iter_init(message, &from) == 0) return {};
  return read(from);
}

std::string text_of(const char* text) {
  return text != nullptr ? text : "";
}

Answer answer_of(DBusMessage* message, bool is_error) {
  Answer answer{.serial = ::dbus_message_get_reply_serial(message)};
  answer.reply.values = values_of(message);
  if (!is_error) return answer;
  answer.reply.error = text_of(::dbus_message_get_error_name(message));
  if (!answer.reply.values.empty()) answer.reply.text = answer.reply.values.front().text;
  return answer;
}

}  // namespace

Result<std::string> encode(const Call& call, std::uint32_t serial) {
  const Message message(
      ::dbus_message_new_method_call(call.destination, call.path.c_str(), call.interface, call.method));
  if (message == nullptr) return out_of_memory();
  // Nobody is to be asked for a password, and nothing is to be started for us.
  ::dbus_message_set_auto_start(message.get(), 0);
  DBusMessageIter to;
  ::dbus_message_iter_init_append(message.get(), &to);
  for (const Value& argument : call.arguments) TRY(append(to, argument));
  ::dbus_message_set_serial(message.get(), serial);
  char* bytes = nullptr;
  int size = 0;
  if (::dbus_message_marshal(message.get(), &bytes, &size) == 0) return out_of_memory();
  std::string encoded(bytes, static_cast<std::size_t>(size));
  ::dbus_free(bytes);
  return encoded;
}

Result<std::size_t> message_size(std::string_view bytes) {
  if (bytes.size() < kHeader) return std::size_t{0};
  const int size = ::dbus_message_demarshal_bytes_needed(bytes.data(), static_cast<int>(bytes.size()));
  if (size < 0 || static_cast<std::size_t>(size) > kMostBytes)
    return system_error(EPROTO, "the other side sent no D-Bus message");
  return static_cast<std::size_t>(size);
}

Result<Incoming> decode(std::string_view bytes, std::string_view wanted) {
  const Message message(::dbus_message_demarshal(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  if (message == nullptr) return system_error(EPROTO, "the other side sent a damaged D-Bus message");
  switch (::dbus_message_get_type(message.get())) {
    case DBUS_MESSAGE_TYPE_METHOD_RETURN:
      return Incoming(answer_of(message.get(), false));
    case DBUS_MESSAGE_TYPE_ERROR:
      return Incoming(answer_of(message.get(), true));
    case DBUS_MESSAGE_TYPE_SIGNAL:
      break;
    default:
      return Incoming(Nothing{});
  }
  Signal signal{.path = text_of(::dbus_message_get_path(message.get())),
                .interface = text_of(::dbus_message_get_interface(message.get())),
                .member = text_of(::dbus_message_get_member(message.get()))};
  if (signal.member != wanted) return Incoming(Nothing{});
  signal.values = values_of(message.get());
  return Incoming(std::move(signal));
}

}  // namespace davit::bus
