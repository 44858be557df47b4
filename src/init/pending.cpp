// Operations that are on their way: each answers ENOSYS until its family lands.
#include "init/context.hpp"
#include "init/mounting.hpp"

namespace davit::init {
Status perform(Context&, const program::OpenConsole&) {
  return {ENOSYS};
}
Status perform(Context&, const program::OwnStdio&) {
  return {ENOSYS};
}
Status perform(Context&, const program::OpenProc&) {
  return {ENOSYS};
}
Status perform(Context&, const program::WriteSysctl&) {
  return {ENOSYS};
}
Status perform(Context&, const program::WriteLabel&) {
  return {ENOSYS};
}
Status perform(Context&, const program::SetScheduler&) {
  return {ENOSYS};
}
Status perform(Context&, const program::SetIoPriority&) {
  return {ENOSYS};
}
Status perform(Context&, const program::SetMemoryPolicy&) {
  return {ENOSYS};
}
Status perform(Context&, const program::SetAffinity&) {
  return {ENOSYS};
}
Status perform(Context&, const program::SetPersonality&) {
  return {ENOSYS};
}
Status perform(Context&, const program::MakeDevice&) {
  return {ENOSYS};
}
Status perform(Context&, const program::MakeSymlink&) {
  return {ENOSYS};
}
Status perform(Context&, const program::MakeDirectory&) {
  return {ENOSYS};
}
Status perform(Context&, const program::MaskPath&) {
  return {ENOSYS};
}
Status perform(Context&, const program::ProtectPath&) {
  return {ENOSYS};
}
Status perform(Context&, const program::LoadSeccomp&) {
  return {ENOSYS};
}
Status perform(Context&, const program::SetHome&) {
  return {ENOSYS};
}
Status perform(Context&, const program::RunHook&) {
  return {ENOSYS};
}
Status copy_up(Context&, FdRef, FdRef) {
  return {ENOSYS};
}
}  // namespace davit::init
