internal import CodegenLLVM
internal import Foundation

/// Compiled kernels in the user's cache folder.
///
/// An entry is a file named by its key, written beside its place and renamed: processes may share the folder. It begins
/// with a hash of the rest, and one that does not match is as good as none. Old entries go where a folder is full.
struct KernelCache: Sendable {
  /// Entries are spread over so many folders, by the first digit of their key.
  static let folderCount = 16
  /// No folder is left with more bytes than these after it has been looked at.
  static let defaultByteLimit = 16 << 20

  private let root: String
  private let byteLimit: Int
  /// What was compiled by another tfc is not taken.
  private let compiler: String

  init(
    in cacheFolder: String, byteLimit: Int = defaultByteLimit,
    compiler: String = Files.identity(of: Bundle.main.executablePath ?? CommandLine.arguments[0])
  ) {
    root = "\(cacheFolder)/kernels"
    self.byteLimit = byteLimit
    self.compiler = compiler
  }

  var objects: ObjectCache {
    ObjectCache {
      object(for: $0)
    } keep: {
      keep($1, for: $0)
    }
  }

  func object(for key: String) -> [UInt8]? {
    let path = place(of: key).path
    guard let contents = FileManager.default.contents(atPath: path), contents.count >= Self.headerByteCount else {
      return nil
    }
    let bytes = [UInt8](contents.dropFirst(Self.headerByteCount))
    guard contents.prefix(Self.headerByteCount).elementsEqual(Self.header(of: bytes)) else { return nil }
    // Age counts from the last use.
    utimes(path, nil)
    return bytes
  }

  func keep(_ object: [UInt8], for key: String) {
    let (folder, path) = place(of: key)
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var template = Array("\(folder)/.new-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { return }
    close(descriptor)
    let new = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    do throws(Failure) {
      try Files.write(Self.header(of: object) + object, to: new)
      try Files.move(new, to: path)
    } catch {
      unlink(new)
      return
    }
    // Looking at a whole folder takes time: one entry in sixteen is the occasion.
    if key.hasSuffix("0") { removeOldEntries(in: folder) }
  }

  private func place(of key: String) -> (folder: String, path: String) {
    var hash = ContentHash()
    hash.add(Array("\(compiler) \(key)".utf8))
    let folder = "\(root)/\(hash.text.prefix(1))"
    return (folder, "\(folder)/\(hash.text)")
  }

  private static let headerByteCount = 32

  private static func header(of object: [UInt8]) -> [UInt8] {
    var hash = ContentHash()
    hash.add(object)
    return Array(hash.text.utf8)
  }

  /// Removes what was not used for longest until three quarters of the limit are left.
  func removeOldEntries(in folder: String) {
    struct Entry {
      var path: String
      var byteCount: Int
      var lastUse: Int
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    var entries: [Entry] = []
    for name in names {
      var facts = stat()
      guard stat("\(folder)/\(name)", &facts) == 0 else { continue }
      entries.append(Entry(path: "\(folder)/\(name)", byteCount: Int(facts.st_size), lastUse: facts.st_mtim.tv_sec))
    }
    var total = entries.reduce(0) { $0 + $1.byteCount }
    guard total > byteLimit else { return }
    for entry in entries.sorted(by: { ($0.lastUse, $0.path) < ($1.lastUse, $1.path) }) {
      if total <= byteLimit / 4 * 3 { break }
      unlink(entry.path)
      total -= entry.byteCount
    }
  }
}
