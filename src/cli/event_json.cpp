// SPDX-License-Identifier: Apache-2.0
#include "cli/event_json.hpp"

#include "davit/json/writer.hpp"

namespace davit::cli {
namespace {

using json::Writer;

// Readers take an absent counter for 0, and expect it to be absent.
void write_counter(Writer& out, std::string_view name, std::uint64_t value) {
  if (value != 0) out.key(name).unsigned_number(value);
}

template <typename Number>
void write_list(Writer& out, std::string_view name, const std::vector<Number>& values) {
  if (values.empty()) return;
  out.key(name).begin_array();
  for (const Number value : values) out.unsigned_number(value);
  out.end_array();
}

void write_pressure(Writer& out, const std::optional<cgroup::Pressure>& pressure) {
  if (!pressure) return;
  const auto line = [&](const char* name, const cgroup::PressureLine& values) {
    out.key(name).begin_object();
    out.key("avg10").raw(values.average_10);
    out.key("avg60").raw(values.average_60);
    out.key("avg300").raw(values.average_300);
    out.key("total").unsigned_number(values.total).end_object();
  };
  out.key("psi").begin_object();
  line("some", pressure->some);
  line("full", pressure->full);
  out.end_object();
}

void write_cpu(Writer& out, const cgroup::CpuStatistics& cpu) {
  out.key("cpu").begin_object();
  out.key("usage").begin_object();
  write_counter(out, "total", cpu.total);
  write_list(out, "percpu", cpu.per_cpu);
  write_list(out, "percpu_kernel", cpu.per_cpu_kernel);
  write_list(out, "percpu_user", cpu.per_cpu_user);
  out.key("kernel").unsigned_number(cpu.kernel);
  out.key("user").unsigned_number(cpu.user);
  out.end_object();
  out.key("throttling").begin_object();
  write_counter(out, "periods", cpu.periods);
  write_counter(out, "throttledPeriods", cpu.throttled_periods);
  write_counter(out, "throttledTime", cpu.throttled_time);
  out.end_object();
  write_pressure(out, cpu.pressure);
  out.end_object();
}

void write_cpuset(Writer& out, const cgroup::CpusetStatistics& cpuset) {
  constexpr const char* kFlags[] = {"cpu_exclusive",   "mem_hardwall",       "mem_exclusive",
                                    "memory_migrate",  "memory_spread_page", "memory_spread_slab",
                                    "memory_pressure", "sched_load_balance", "sched_relax_domain_level"};
  out.key("cpuset").begin_object();
  write_list(out, "cpus", cpuset.cpus);
  write_list(out, "mems", cpuset.nodes);
  for (const char* flag : kFlags) {
    const auto found = cpuset.flags.find(flag);
    out.key(flag).number(found == cpuset.flags.end() ? 0 : found->second);
  }
  out.end_object();
}

void write_use(Writer& out, std::string_view name, const cgroup::MemoryUse& use) {
  out.key(name).begin_object();
  out.key("limit").unsigned_number(use.limit);
  write_counter(out, "usage", use.usage);
  write_counter(out, "max", use.peak);
  out.key("failcnt").unsigned_number(use.failures);
  out.end_object();
}

void write_memory(Writer& out, const cgroup::MemoryStatistics& memory) {
  out.key("memory").begin_object();
  write_counter(out, "cache", memory.cache);
  write_use(out, "usage", memory.usage);
  write_use(out, "swap", memory.swap);
  write_use(out, "kernel", memory.kernel);
  write_use(out, "kernelTCP", memory.kernel_tcp);
  if (!memory.raw.empty()) {
    out.key("raw").begin_object();
    for (const auto& [name, value] : memory.raw) out.key(name).unsigned_number(value);
    out.end_object();
  }
  write_pressure(out, memory.pressure);
  out.end_object();
}

void write_block(Writer& out, const cgroup::BlockStatistics& block) {
  out.key("blkio").begin_object();
  for (const auto& [name, counters] : block.counters) {
    out.key(name).begin_array();
    for (const cgroup::BlockCounter& counter : counters) {
      out.begin_object();
      write_counter(out, "major", counter.major);
      write_counter(out, "minor", counter.minor);
      if (!counter.operation.empty()) out.key("op").string(counter.operation);
      write_counter(out, "value", counter.value);
      out.end_object();
    }
    out.end_array();
  }
  write_pressure(out, block.pressure);
  out.end_object();
}

void write_hugepages(Writer& out, const std::map<std::string, cgroup::MemoryUse>& pages) {
  out.key("hugetlb").begin_object();
  for (const auto& [size, use] : pages) {
    out.key(size).begin_object();
    write_counter(out, "usage", use.usage);
    write_counter(out, "max", use.peak);
    out.key("failcnt").unsigned_number(use.failures).end_object();
  }
  out.end_object();
}

void write_rdma(Writer& out, const cgroup::RdmaStatistics& rdma) {
  const auto list = [&](const char* name, const std::vector<cgroup::RdmaCounter>& counters) {
    out.key(name).begin_array();
    for (const cgroup::RdmaCounter& counter : counters) {
      out.begin_object();
      out.key("device").string(counter.device);
      out.key("hca_handles").unsigned_number(counter.hca_handles);
      out.key("hca_objects").unsigned_number(counter.hca_objects).end_object();
    }
    out.end_array();
  };
  // Not one of runc's members: only where there is something to tell.
  if (rdma.current.empty() && rdma.limit.empty()) return;
  out.key("rdma").begin_object();
  list("current", rdma.current);
  list("limit", rdma.limit);
  out.end_object();
}

void write_monitors(Writer& out, const resctrl::Statistics& statistics) {
  if (statistics.bandwidth_use) {
    out.key("mbm_stats").begin_array();
    for (const resctrl::BandwidthUse& use : *statistics.bandwidth_use) {
      out.begin_object().key("mbm_total_bytes").unsigned_number(use.total);
      out.key("mbm_local_bytes").unsigned_number(use.local).end_object();
    }
    out.end_array();
  }
  if (statistics.cache_occupancy) {
    out.key("cmt_stats").begin_array();
    for (const std::uint64_t bytes : *statistics.cache_occupancy)
      out.begin_object().key("llc_occupancy").unsigned_number(bytes).end_object();
    out.end_array();
  }
}

// By runc's names.
void write_resctrl(Writer& out, const std::optional<resctrl::Statistics>& found) {
  out.key("intel_rdt").begin_object();
  const resctrl::Statistics statistics = found.value_or(resctrl::Statistics());
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) out.key(name).string(value);
  };
  if (const auto& cache = statistics.cache) {
    out.key("l3_cache_info").begin_object();
    text("cbm_mask", cache->mask);
    write_counter(out, "min_cbm_bits", cache->minimum_bits);
    write_counter(out, "num_closids", cache->classes);
    out.end_object();
  }
  text("l3_cache_schema_root", statistics.root_cache_schema);
  text("l3_cache_schema", statistics.cache_schema);
  if (const auto& bandwidth = statistics.bandwidth) {
    out.key("mem_bw_info").begin_object();
    write_counter(out, "bandwidth_gran", bandwidth->granularity);
    write_counter(out, "delay_linear", bandwidth->delay_linear);
    write_counter(out, "min_bandwidth", bandwidth->minimum);
    write_counter(out, "num_closids", bandwidth->classes);
    out.end_object();
  }
  text("mem_bw_schema_root", statistics.root_bandwidth_schema);
  text("mem_bw_schema", statistics.bandwidth_schema);
  write_monitors(out, statistics);
  out.end_object();
}

void write_interfaces(Writer& out, const std::vector<container::InterfaceCounters>& interfaces) {
  out.key("network_interfaces");
  if (interfaces.empty()) {
    out.null();
    return;
  }
  out.begin_array();
  for (const container::InterfaceCounters& interface : interfaces) {
    out.begin_object();
    out.key("Name").string(interface.name);
    out.key("RxBytes").unsigned_number(interface.received_bytes);
    out.key("RxPackets").unsigned_number(interface.received_packets);
    out.key("RxErrors").unsigned_number(interface.received_errors);
    out.key("RxDropped").unsigned_number(interface.received_dropped);
    out.key("TxBytes").unsigned_number(interface.sent_bytes);
    out.key("TxPackets").unsigned_number(interface.sent_packets);
    out.key("TxErrors").unsigned_number(interface.sent_errors);
    out.key("TxDropped").unsigned_number(interface.sent_dropped).end_object();
  }
  out.end_array();
}

}  // namespace

std::string usage_event(std::string_view id, const container::Usage& usage) {
  Writer out(json::Style::compact);
  out.begin_object();
  out.key("type").string("stats");
  out.key("id").string(id);
  out.key("data").begin_object();
  write_cpu(out, usage.cgroup.cpu);
  write_cpuset(out, usage.cgroup.cpuset);
  write_memory(out, usage.cgroup.memory);
  out.key("pids").begin_object();
  write_counter(out, "current", usage.cgroup.pids.current);
  write_counter(out, "limit", usage.cgroup.pids.limit);
  out.end_object();
  write_block(out, usage.cgroup.block);
  write_hugepages(out, usage.cgroup.hugepages);
  write_rdma(out, usage.cgroup.rdma);
  write_resctrl(out, usage.resctrl);
  write_interfaces(out, usage.interfaces);
  return out.end_object().end_object().take() + "\n";
}

std::string oom_event(std::string_view id) {
  Writer out(json::Style::compact);
  out.begin_object().key("type").string("oom").key("id").string(id);
  return out.end_object().take() + "\n";
}

}  // namespace davit::cli
