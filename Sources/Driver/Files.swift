package import Foundation

/// A folder that goes with everything in it when the value does.
struct TemporaryFolder: ~Copyable {
  let path: String

  /// A new folder inside `parent`, or where the system keeps such folders.
  init(in parent: String? = nil) throws(Failure) {
    let parent = parent ?? FileManager.default.temporaryDirectory.path
    var template = Array("\(parent)/.tfc-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw .runtime("no folder can be made in \(parent): \(Files.systemError)")
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }
}

/// Reading and writing whole files.
package enum Files {
  static var systemError: String { String(cString: strerror(errno)) }

  package static func read(_ path: String) throws(Failure) -> Data {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .refused("the file does not exist", place: path)
    }
    if isFolder.boolValue { throw .refused("it is a folder, not a file", place: path) }
    do { return try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) } catch {
      throw .refused("the file cannot be read: \(error.localizedDescription)", place: path)
    }
  }

  /// The first bytes of a file, at most `count`.
  static func prefix(_ path: String, _ count: Int) throws(Failure) -> [UInt8] {
    let file = open(path, O_RDONLY)
    guard file >= 0 else { throw .refused("the file cannot be read: \(systemError)", place: path) }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: count)
    let found = bytes.withUnsafeMutableBytes { Foundation.read(file, $0.baseAddress, count) }
    guard found >= 0 else { throw .refused("the file cannot be read: \(systemError)", place: path) }
    return Array(bytes.prefix(found))
  }

  static func write(_ text: String, to path: String) throws(Failure) { try write(Array(text.utf8), to: path) }

  static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
    var file = try OutputFile(path)
    try file.append(bytes)
  }

  /// Writes beside `path` and renames, so that there is the old file or the new one, never half of it.
  package static func replace(_ path: String, with bytes: [UInt8]) throws(Failure) {
    try expectPlace(path)
    let beside = "\(path).\(getpid()).tmp"
    do throws(Failure) {
      try write(bytes, to: beside)
      try move(beside, to: path)
    } catch {
      unlink(beside)
      throw error
    }
  }

  /// Throws unless a file can come to `path`: there is none yet, or an ordinary one that may be replaced.
  static func expectPlace(_ path: String) throws(Failure) {
    if path.isEmpty || path.hasSuffix("/") { throw .refused("the output's name is not that of a file", place: path) }
    var facts = stat()
    guard stat(path, &facts) == 0, facts.st_mode & S_IFMT != S_IFREG else { return }
    throw .refused("the output exists and is not an ordinary file", place: path)
  }

  static func move(_ source: String, to destination: String) throws(Failure) {
    guard rename(source, destination) == 0 else {
      throw .runtime("cannot be written: \(systemError)", place: destination)
    }
  }

  static func makeFolder(_ path: String) throws(Failure) {
    do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
      throw .runtime("the folder cannot be made: \(error.localizedDescription)", place: path)
    }
  }

  /// The file's length; 0 where there is none.
  static func byteCount(_ path: String) -> Int {
    var facts = stat()
    return stat(path, &facts) == 0 ? Int(facts.st_size) : 0
  }

  /// Whether both paths lead to one file that is there.
  static func areSame(_ a: String, _ b: String) -> Bool {
    var (first, second) = (stat(), stat())
    guard stat(a, &first) == 0, stat(b, &second) == 0 else { return false }
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino
  }

  /// What tells a program from another, and from an older one in its place: path, size and age.
  static func identity(of path: String) -> String {
    let path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    var facts = stat()
    guard stat(path, &facts) == 0 else { return path }
    return "\(path) \(facts.st_size) \(facts.st_mtim.tv_sec)"
  }

  /// The folder a file is in.
  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
  }
}

/// A file that is written from its beginning to its end.
struct OutputFile: ~Copyable {
  private let descriptor: Int32
  private let path: String
  private(set) var byteCount = 0

  init(_ path: String) throws(Failure) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    if descriptor < 0 { throw .runtime("cannot be written: \(Files.systemError)", place: path) }
  }

  deinit { close(descriptor) }

  mutating func append(_ bytes: [UInt8]) throws(Failure) {
    let isWritten = bytes.withUnsafeBytes { Self.write($0, to: descriptor) }
    guard isWritten else { throw .runtime("cannot be written: \(Files.systemError)", place: path) }
    byteCount += bytes.count
  }

  private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
      if count > 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      } else if count == 0 || errno != EINTR {
        return false
      }
    }
    return true
  }

  /// Zeros up to this length.
  mutating func pad(to length: Int) throws(Failure) {
    if length > byteCount { try append([UInt8](repeating: 0, count: length - byteCount)) }
  }
}
