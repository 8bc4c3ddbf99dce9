import Foundation
import Testing

@testable import Driver

@Suite struct KernelCacheTests {
  private func entries(_ folder: String) -> [String] {
    let found = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return found.map { "\(folder)/\($0)" }.filter { path in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
    }.sorted()
  }

  @Test func whatIsKeptIsFound() throws {
    let fixture = try Fixture()
    let cache = KernelCache(in: fixture.path("cache"), compiler: "tfc 1")
    #expect(cache.object(for: "a") == nil)
    cache.keep([1, 2, 3], for: "a")
    cache.keep([], for: "b")
    #expect(cache.object(for: "a") == [1, 2, 3])
    #expect(cache.object(for: "b") == [])
    #expect(cache.object(for: "c") == nil)
    #expect(KernelCache(in: fixture.path("cache"), compiler: "tfc 2").object(for: "a") == nil)
    #expect(KernelCache(in: fixture.path("cache"), compiler: "tfc 1").object(for: "a") == [1, 2, 3])
  }

  @Test(arguments: [0, 5, 31, 32, 34]) func aDamagedEntryIsReplaced(length: Int) throws {
    let fixture = try Fixture()
    let cache = KernelCache(in: fixture.path("cache"), compiler: "tfc")
    cache.keep([1, 2, 3], for: "a")
    let path = try #require(entries(fixture.path("cache")).first)
    let bytes = try [UInt8](Files.read(path))
    try Files.write(Array(bytes.prefix(length)), to: path)
    #expect(cache.object(for: "a") == nil)
    var changed = bytes
    changed[bytes.count - 1] ^= 1
    try Files.write(changed, to: path)
    #expect(cache.object(for: "a") == nil)
    cache.keep([1, 2, 3], for: "a")
    #expect(cache.object(for: "a") == [1, 2, 3])
    #expect(entries(fixture.path("cache")).count == 1)
  }

  @Test func aFolderThatCannotBeWrittenIsNoCache() throws {
    let fixture = try Fixture()
    let file = try fixture.write("", "file")
    let cache = KernelCache(in: file, compiler: "tfc")
    cache.keep([1], for: "a")
    #expect(cache.object(for: "a") == nil)
  }

  @Test func oldEntriesGoWhereAFolderIsFull() throws {
    let fixture = try Fixture()
    let cache = KernelCache(in: fixture.path("cache"), byteLimit: 2000, compiler: "tfc")
    let object = [UInt8](repeating: 7, count: 200)
    for number in 0..<400 { cache.keep(object, for: "\(number)0") }
    let folders = try FileManager.default.contentsOfDirectory(atPath: fixture.path("cache/kernels"))
    #expect(folders.count == KernelCache.folderCount)
    for folder in folders {
      let paths = entries(fixture.path("cache/kernels/\(folder)"))
      #expect((1...8).contains(paths.count), "\(paths.count) entries of 232 bytes")
    }
  }

  @Test func threadsMayShareAFolder() throws {
    let fixture = try Fixture()
    let cache = KernelCache(in: fixture.path("cache"), compiler: "tfc")
    let wrong = Box<Int>()
    DispatchQueue.concurrentPerform(iterations: 64) { number in
      let key = "\(number % 4)"
      cache.keep([UInt8](repeating: UInt8(number % 4), count: 5000), for: key)
      if cache.object(for: key) != [UInt8](repeating: UInt8(number % 4), count: 5000) { wrong.set(number) }
    }
    #expect(wrong.value == nil)
    #expect(entries(fixture.path("cache")).count == 4)
  }
}
