import Foundation

/// What makes tile instructions run in this process: the kernel's permission, or the emulator of Tests/Tiles where the
/// processor has none.
///
/// The emulator handles a signal, so a process has one, in a library of its own that is never unloaded.
struct TileEmulator: Sendable {
  static let installed = Result { try TileEmulator() }

  private typealias Number = @convention(c) () -> Int32
  private let count: Number
  private let isEmulating: Bool
  /// Whether products of f16 can be executed.
  let hasF16: Bool

  private init() throws {
    let source = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Tiles/tile_emulator.c")
    let folder = FileManager.default.temporaryDirectory.appending(path: "tfc-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let library = folder.appending(path: "emulator.so").path
    try CompiledProgram.call("cc", ["-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", library, source.path])
    guard let handle = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
      throw TestFailure(description: dlerror().map { String(cString: $0) } ?? "the emulator cannot be loaded")
    }
    func function(_ name: String) throws -> Number {
      guard let symbol = dlsym(handle, name) else { throw TestFailure(description: "the emulator has no \(name)") }
      return unsafeBitCast(symbol, to: Number.self)
    }
    count = try function("tfc_tile_instruction_count")
    isEmulating = try function("tfc_tiles_are_emulated")() != 0
    hasF16 = try function("tfc_tiles_have_f16")() != 0
    guard try function("tfc_install_tile_emulator")() != 0 else {
      throw TestFailure(description: "the kernel does not permit tiles")
    }
  }

  /// The tile instructions executed so far for this thread; nil where the processor executes them itself.
  var instructionCount: Int? { isEmulating ? Int(count()) : nil }
}
