// SPDX-License-Identifier: Apache-2.0
#include "davit/container/record.hpp"

#include <charconv>
#include <limits>
#include <utility>

#include "davit/json/document.hpp"
#include "davit/json/writer.hpp"

namespace davit::container {

namespace {

constexpr std::string_view kManagers[] = {"cgroupfs", "disabled", "systemd"};
constexpr std::string_view kModes[] = {"v1", "v2", "hybrid"};

void write_place(json::Writer& out, const cgroup::Place& place) {
  out.begin_object();
  out.key("manager").string(kManagers[static_cast<std::size_t>(place.manager)]);
  out.key("mode").string(kModes[static_cast<std::size_t>(place.mode)]);
  out.key("directories").begin_array();
  for (const cgroup::Directory& directory : place.directories) {
    out.begin_object();
    out.key("controllers").strings(directory.controllers);
    out.key("path").string(directory.path);
    out.key("mountPoint").string(directory.mount_point);
    out.end_object();
  }
  out.end_array();
  if (place.manager == cgroup::Manager::systemd) {
    out.key("unit").string(place.unit.name);
    out.key("slice").string(place.unit.slice);
    out.key("ofUser").boolean(place.unit.of_user);
    out.key("patience").number(place.unit.patience);
    out.key("subgroup").string(place.unit.subgroup);
  }
  out.end_object();
}

void write_ending(json::Writer& out, const Ending& ending) {
  out.key("ending").begin_object();
  out.key("finished").string(ending.finished);
  out.key("exitCode").number(ending.exit_code.value_or(-1));
  out.key("signal").number(ending.signal);
  out.key("oomKilled").number(ending.oom_killed ? (*ending.oom_killed ? 1 : 0) : -1);
  out.key("failedStep").string(ending.failed_step);
  out.key("error").string(ending.error);
  out.end_object();
}

void write_group(json::Writer& out, const resctrl::Group& group) {
  out.begin_object();
  out.key("directory").string(group.directory);
  out.key("monitoring").string(group.monitoring);
  out.key("isOwn").boolean(group.is_own);
  out.end_object();
}

// Reads the members of a document that davit itself wrote: every member is required and of one kind, and the
// first that is not as expected makes the whole document foreign.
class Reader {
 public:
  explicit Reader(json::Value object) : object_(object) {
    if (!object_.valid() || object_.kind() != json::Kind::object) fail("");
  }

  std::string text(std::string_view key) {
    const json::Value value = member(key, json::Kind::string);
    return value.valid() ? std::string(value.text()) : std::string();
  }
  template <typename T>
  T number(std::string_view key) {
    const json::Value value = member(key, json::Kind::number);
    T number{};
    if (!value.valid()) return number;
    const std::string_view digits = value.text();
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (failure != std::errc() || end != digits.data() + digits.size()) fail(key);
    return number;
  }
  bool boolean(std::string_view key) {
    const json::Value value = member(key, json::Kind::boolean);
    return value.valid() && value.boolean();
  }
  template <std::size_t N>
  std::size_t one_of(std::string_view key, const std::string_view (&names)[N]) {
    const std::string word = text(key);
    for (std::size_t i = 0; i < N; ++i)
      if (names[i] == word) return i;
    fail(key);
    return 0;
  }
  json::Value member(std::string_view key, json::Kind kind) {
    if (!ok_) return {};
    const json::Value value = object_.find(key);
    if (value.valid() && value.kind() == kind) return value;
    fail(key);
    return {};
  }
  [[nodiscard]] bool has(std::string_view key) const { return ok_ && object_.find(key).valid(); }
  void fail(std::string_view key) {
    if (ok_) bad_key_ = key;
    ok_ = false;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] const std::string& bad_key() const { return bad_key_; }

 private:
  json::Value object_;
  bool ok_ = true;
  std::string bad_key_;
};

Error unreadable(Code code, std::string_view file, std::string_view why, std::string_view advice) {
  Text<768> message("cannot read the state of this container from ");
  message.append(file).append(": ").append(why);
  Error error = make_error(code, message);
  return error.advise(advice);
}

Error damaged(std::string_view file, std::string_view why) {
  return unreadable(Code::internal, file, why, "delete --force removes what is left of the container");
}

Error foreign(std::string_view file, std::string_view why) {
  return unreadable(Code::unsupported, file, why,
                    "use the runtime that made this container, or another --root");
}

std::vector<std::string> read_strings(Reader& reader, std::string_view key) {
  const json::Value array = reader.member(key, json::Kind::array);
  std::vector<std::string> strings;
  for (std::size_t i = 0; array.valid() && i < array.size(); ++i) {
    if (array.element(i).kind() == json::Kind::string)
      strings.emplace_back(array.element(i).text());
    else
      reader.fail(key);
  }
  return strings;
}

void read_place(Reader& reader, cgroup::Place& place) {
  Reader object(reader.member("cgroup", json::Kind::object));
  place.manager = static_cast<cgroup::Manager>(object.one_of("manager", kManagers));
  place.mode = static_cast<host::CgroupMode>(object.one_of("mode", kModes));
  const json::Value list = object.member("directories", json::Kind::array);
  for (std::size_t i = 0; list.valid() && i < list.size(); ++i) {
    Reader entry(list.element(i));
    cgroup::Directory directory;
    directory.controllers = read_strings(entry, "controllers");
    directory.path = entry.text("path");
    directory.mount_point = entry.text("mountPoint");
    // What `delete` removes must lie below the hierarchy it was made in.
    if (!directory.path.starts_with(directory.mount_point + "/")) entry.fail("path");
    if (!entry.ok()) object.fail(entry.bad_key());
    place.directories.push_back(std::move(directory));
  }
  if (place.manager == cgroup::Manager::systemd) {
    place.unit.name = object.text("unit");
    place.unit.slice = object.text("slice");
    place.unit.of_user = object.boolean("ofUser");
    place.unit.patience = object.number<unsigned>("patience");
    place.unit.subgroup = object.text("subgroup");
  }
  if (!object.ok()) reader.fail("cgroup/" + object.bad_key());
}

void read_group(Reader& reader, resctrl::Group& group) {
  Reader object(reader.member("resctrl", json::Kind::object));
  group.directory = object.text("directory");
  group.monitoring = object.text("monitoring");
  group.is_own = object.boolean("isOwn");
  if (!object.ok()) reader.fail("resctrl/" + object.bad_key());
}

void read_annotations(Reader& reader, spec::Annotations& annotations) {
  const json::Value object = reader.member("annotations", json::Kind::object);
  if (!object.valid()) return;
  for (std::uint32_t node = object.begin_node(); node < object.end_node();) {
    const json::Value key = object.document().at(node);
    const json::Value value = object.document().at(node + 1);
    if (value.kind() != json::Kind::string) return reader.fail("annotations");
    annotations.emplace(key.text(), value.text());
    node = value.next_node();
  }
}

// Records of containers that have not ended have none.
void read_ending(Reader& reader, json::Value root, std::optional<Ending>& target) {
  if (!root.find("ending").valid()) return;
  Reader object(reader.member("ending", json::Kind::object));
  Ending& ending = target.emplace();
  ending.finished = object.text("finished");
  const int code = object.number<int>("exitCode");
  if (code >= 0) ending.exit_code = code;
  ending.signal = object.number<int>("signal");
  const int oom = object.number<int>("oomKilled");
  if (oom >= 0) ending.oom_killed = oom == 1;
  ending.failed_step = object.text("failedStep");
  ending.error = object.text("error");
  if (!object.ok()) reader.fail("ending/" + object.bad_key());
}

}  // namespace

std::string record_json(const Record& record) {
  json::Writer out(json::Style::compact);
  out.begin_object();
  out.key("davit").number(kRecordVersion);
  out.key("id").string(record.id);
  out.key("bundle").string(record.bundle);
  out.key("rootfs").string(record.rootfs);
  out.key("created").string(record.created);
  out.key("owner").number(record.owner);
  out.key("pid").number(record.init.pid);
  out.key("startTime").unsigned_number(record.init.start_time);
  if (record.init.number != 0) out.key("pidfdNumber").unsigned_number(record.init.number);
  out.key("bootId").string(record.init.boot_id);
  out.key("ownPidNamespace").boolean(record.own_pid_namespace);
  out.key("noPivot").boolean(record.no_pivot);
  out.key("poststopHooks").boolean(record.poststop_hooks);
  if (record.starts_plainly) out.key("startsPlainly").boolean(true);
  out.key("cgroup");
  write_place(out, record.cgroup);
  if (record.resctrl_group.exists()) {
    out.key("resctrl");
    write_group(out, record.resctrl_group);
  }
  out.key("annotations").begin_object();
  for (const auto& [key, value] : record.annotations) out.key(key).string(value);
  out.end_object();
  if (!record.descriptors.empty()) out.key("descriptors").strings(record.descriptors);
  if (record.ending) write_ending(out, *record.ending);
  out.end_object();
  return out.take();
}

Result<Record> parse_record(std::string text, std::string_view file) {
  const json::Document::Parsed parsed = json::Document::parse(std::move(text), file);
  if (parsed.document == nullptr || !parsed.errors.empty()) return damaged(file, "it is not valid JSON");
  Reader reader(parsed.document->root());
  const int version = reader.number<int>("davit");
  if (!reader.ok()) return foreign(file, "it was not written by davit");
  if (version != kRecordVersion) return foreign(file, "it was written by another version of davit");

  Record record;
  record.id = reader.text("id");
  record.bundle = reader.text("bundle");
  record.rootfs = reader.text("rootfs");
  record.created = reader.text("created");
  record.owner = reader.number<uid_t>("owner");
  record.init.pid = reader.number<pid_t>("pid");
  if (record.init.pid < 0) reader.fail("pid");
  record.init.start_time = reader.number<std::uint64_t>("startTime");
  if (reader.has("pidfdNumber")) record.init.number = reader.number<std::uint64_t>("pidfdNumber");
  record.init.boot_id = reader.text("bootId");
  record.own_pid_namespace = reader.boolean("ownPidNamespace");
  record.no_pivot = reader.boolean("noPivot");
  record.poststop_hooks = reader.boolean("poststopHooks");
  if (reader.has("startsPlainly")) record.starts_plainly = reader.boolean("startsPlainly");
  read_place(reader, record.cgroup);
  // Only containers with linux.intelRdt have one.
  if (reader.has("resctrl")) read_group(reader, record.resctrl_group);
  read_annotations(reader, record.annotations);
  if (reader.has("descriptors")) record.descriptors = read_strings(reader, "descriptors");
  read_ending(reader, parsed.document->root(), record.ending);
  if (!reader.ok()) return damaged(file, "the member \"" + reader.bad_key() + "\" is missing or wrong");
  return record;
}

}  // namespace davit::container
