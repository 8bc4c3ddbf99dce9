internal import CodegenLLVM
internal import Foundation
internal import RuntimeSource

/// The C compiler and the linker that make libraries: clang, the system's or Swift's, else cc or gcc. For another machine
/// its gcc, else a clang that finds headers and libraries for it.
struct Toolchain: Sendable {
  let compiler: String
  /// What the compiler is told in front of all else.
  let machineArguments: [String]
  private let linkerArguments: [String]

  /// The first one that there is.
  static func find(for triple: Triple = .host) throws(Failure) -> Toolchain {
    guard triple.isHost else { return try find(forOther: triple) }
    if let clang = Tool.find("clang") ?? besideSwift { return Toolchain(compiler: clang, isClang: true) }
    if let cc = Tool.find("cc") ?? Tool.find("gcc") { return Toolchain(compiler: cc, isClang: false) }
    throw .refused("no C compiler is found: install clang or gcc, or put Swift's clang into PATH")
  }

  private static func find(forOther triple: Triple) throws(Failure) -> Toolchain {
    if let gcc = triple.prefixes.lazy.compactMap({ Tool.find("\($0)-gcc") }).first {
      return Toolchain(compiler: gcc, isClang: false)
    }
    if let clang = Tool.find("clang") ?? besideSwift {
      let toolchain = Toolchain(compiler: clang, isClang: true, machineArguments: ["--target=\(triple)"])
      if try toolchain.canLink() { return toolchain }
    }
    let package = "gcc-\(triple)".replacing("_", with: "-")
    throw .refused(
      "no C compiler for \(triple) is found: install \(triple)-gcc (in Debian and Ubuntu the package \(package)), or "
        + "clang, lld and that machine's libc")
  }

  /// Whether a library comes out that uses what the runtime does.
  private func canLink() throws(Failure) -> Bool {
    let folder = try TemporaryFolder()
    let source = "#include <pthread.h>\n#include <stdio.h>\nint probe(void) { return puts(\"\"); }\n"
    try Files.write(source, to: folder.file("probe.c"))
    do throws(Failure) {
      try compile("probe.c", to: "probe.o", includes: ".", in: folder.path).finish()
      try link(["probe.o"], to: "probe.so", soname: "probe.so", in: folder.path)
    } catch {
      return false
    }
    return true
  }

  private static var besideSwift: String? {
    guard let swift = Tool.find("swift") else { return nil }
    let resolved = URL(fileURLWithPath: swift).resolvingSymlinksInPath().path
    let clang = Files.folder(of: resolved) + "/clang"
    return access(clang, X_OK) == 0 ? clang : nil
  }

  private init(compiler: String, isClang: Bool, machineArguments: [String] = []) {
    self.compiler = compiler
    self.machineArguments = machineArguments
    let folder = Files.folder(of: URL(fileURLWithPath: compiler).resolvingSymlinksInPath().path)
    let hasLLD = access(folder + "/ld.lld", X_OK) == 0 || Tool.find("ld.lld") != nil
    linkerArguments = isClang && hasLLD ? ["-fuse-ld=lld"] : []
  }

  /// Starts to compile `source` in `folder` to `object`; `includes` has the runtime's headers.
  func compile(_ source: String, to object: String, includes: String, in folder: String) throws(Failure) -> Tool {
    let arguments = [
      "-std=c11", "-O1", "-fPIC", "-fvisibility=hidden", "-w", "-I\(includes)", "-I.", "-c", source, "-o", object,
    ]
    return try Tool(compiler, machineArguments + arguments, in: folder)
  }

  /// Links objects in `folder` to the shared library `library`, whose name for others is `soname`.
  func link(_ objects: [String], to library: String, soname: String, in folder: String) throws(Failure) {
    let arguments =
      machineArguments + ["-shared"] + linkerArguments + objects + [
        "-lpthread", "-ldl", "-Xlinker", "-soname=\(soname)", "-Wl,-Bsymbolic", "-Wl,--gc-sections", "-Wl,-z,defs",
        "-Wl,-s", "-o", library,
      ]
    try Tool.run(compiler, arguments, in: folder)
  }
}

/// The runtime, compiled once for each compiler and kept in the user's cache folder.
struct RuntimeObject: Sendable {
  /// The object file.
  let object: String
  /// The folder with its headers.
  let includes: String

  private struct File {
    var name: String
    var bytes: [UInt8]
  }

  /// The runtime from the folder `root`, or compiled into `fallback` where there is none or it cannot be written.
  static func prepared(_ toolchain: Toolchain, fallback: String, root: String?) throws(Failure) -> RuntimeObject {
    try begin(toolchain, fallback: fallback, root: root).finish()
  }

  /// Starts to compile the runtime, unless it is there already.
  static func begin(_ toolchain: Toolchain, fallback: String, root: String?) throws(Failure) -> RuntimePreparation {
    let files = sources
    var key = ContentHash()
    for file in files { key.add(file.bytes) }
    key.add(Array(([Files.identity(of: toolchain.compiler)] + toolchain.machineArguments).joined(separator: " ").utf8))
    let name = "runtime-\(key.text)"
    let root = root ?? fallback
    let runtime = RuntimeObject(in: "\(root)/\(name)")
    if access(runtime.object, R_OK) == 0 { return RuntimePreparation(runtime) }
    do {
      return RuntimePreparation(
        try build(files, toolchain, in: root), runtime, root == fallback ? nil : toolchain, fallback)
    } catch {
      guard root != fallback else { throw error }
      let runtime = RuntimeObject(in: "\(fallback)/\(name)")
      return RuntimePreparation(try build(files, toolchain, in: fallback), runtime, nil, fallback)
    }
  }

  private init(in folder: String) { (object, includes) = ("\(folder)/runtime.o", folder) }

  /// A runtime that is being compiled, in a folder of its own.
  struct Build: ~Copyable {
    let compiler: Tool
    let parts: String
    let work: TemporaryFolder
  }

  private static func build(_ files: [File], _ toolchain: Toolchain, in root: String) throws(Failure) -> Build {
    try Files.makeFolder(root)
    let work = try TemporaryFolder(in: root)
    let parts = "\(work.path)/runtime"
    try Files.makeFolder("\(parts)/CL")
    for file in files { try Files.write(file.bytes, to: "\(parts)/\(file.name)") }
    let cFiles = files.map(\.name).filter { $0.hasSuffix(".c") }
    let arguments =
      toolchain.machineArguments + [
        "-std=c11", "-D_GNU_SOURCE", "-O2", "-fPIC", "-fvisibility=hidden", "-ffunction-sections", "-fdata-sections",
        "-I.", "-r", "-nostdlib",
      ] + cFiles + ["-o", "runtime.o"]
    return Build(compiler: try Tool(toolchain.compiler, arguments, in: parts), parts: parts, work: work)
  }

  private static var sources: [File] {
    var count: Int32 = 0
    guard let files = tfc_runtime_files(&count) else { return [] }
    return (0..<Int(count)).map { index in
      let file = files[index]
      let bytes = UnsafeBufferPointer(start: file.bytes, count: file.length)
      return File(name: String(cString: file.name), bytes: Array(bytes))
    }
  }

  /// Where programs keep what they can make again.
  static var cacheFolder: String? {
    let environment = ProcessInfo.processInfo.environment
    if let folder = environment["XDG_CACHE_HOME"], folder.hasPrefix("/") { return "\(folder)/tfc" }
    if let home = environment["HOME"], home.hasPrefix("/") { return "\(home)/.cache/tfc" }
    return nil
  }
}

/// A runtime that is there, or will be when its compiler has ended.
struct RuntimePreparation: ~Copyable {
  /// The folder with its headers, until `finish`.
  let includes: String
  private let runtime: RuntimeObject
  private var build: RuntimeObject.Build?
  /// What makes it once more in `fallback`, if it cannot be kept; nil where it is made there.
  private let toolchain: Toolchain?
  private let fallback: String

  fileprivate init(_ runtime: RuntimeObject) {
    (self.runtime, includes, fallback) = (runtime, runtime.includes, "")
    build = nil
    toolchain = nil
  }

  fileprivate init(
    _ build: consuming RuntimeObject.Build, _ runtime: RuntimeObject, _ toolchain: Toolchain?, _ fallback: String
  ) {
    (self.runtime, includes, self.fallback) = (runtime, build.parts, fallback)
    self.build = consume build
    self.toolchain = toolchain
  }

  /// Waits for the compiler and renames its folder: of two processes that do so at once, one wins, and both may go on.
  consuming func finish() throws(Failure) -> RuntimeObject {
    let (runtime, toolchain, fallback) = (runtime, toolchain, fallback)
    guard let build = build.take() else { return runtime }
    let (parts, folder) = (build.parts, runtime.includes)
    do throws(Failure) {
      try build.compiler.finish()
      if rename(parts, folder) == 0 { return runtime }
      let reason = Files.systemError
      if access(runtime.object, R_OK) == 0 { return runtime }
      throw Failure.runtime("cannot be written: \(reason)", place: folder)
    } catch {
      // The folder may have been filled up, taken away, or hold something else.
      guard let toolchain else { throw error }
      return try RuntimeObject.prepared(toolchain, fallback: fallback, root: nil)
    }
  }
}
