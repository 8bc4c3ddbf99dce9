import Foundation
import IR
import ImportStableHLO
import Testing

/// Modules that StableHLO's own tools wrote as bytecode, in old and new versions; `Tests/Artifacts` has their texts.
@Suite struct PortableArtifactTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Artifacts")

  static let artifacts = [
    "ops-0.9.0", "ops-1.0.0", "ops-1.13.0", "types-0.17.0", "types-1.13.0", "calls-1.0.0", "calls-1.13.0",
    "places-0.9.0", "places-1.13.0",
  ]

  private static func bytes(_ artifact: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appending(path: artifact + ".mlirbc")))
  }

  @Test(arguments: artifacts)
  func bytecodeIsWhatTheTextIs(artifact: String) throws {
    let importer = StableHLOImporter()
    let name = String(artifact.prefix { $0 != "-" })
    let text = try importer.module(atPath: Self.folder.appending(path: name + ".mlir").path)
    let module = try importer.module(try Self.bytes(artifact), fileName: artifact)
    #expect(module.irText() == text.irText())
    #expect(module.name == name)
    #expect(module.functions.map(\.aliases) == text.functions.map(\.aliases))
  }

  @Test(arguments: ["places-0.9.0", "places-1.13.0"])
  func placesAreKept(artifact: String) throws {
    let importer = StableHLOImporter()
    let text = try importer.module(atPath: Self.folder.appending(path: "places.mlir").path)
    let module = try importer.module(try Self.bytes(artifact), fileName: artifact)
    #expect(module.functions[0].graph.nodes.map(\.location) == text.functions[0].graph.nodes.map(\.location))
  }

  // MARK: - Files that are wrong

  private func error(_ bytes: [UInt8]) -> StableHLOImportError? {
    do throws(StableHLOImportError) {
      _ = try StableHLOImporter().module(bytes, fileName: "m.mlirbc")
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: ["calls-1.13.0", "ops-0.9.0", "places-1.13.0"])
  func filesThatEndTooEarlyAreRefused(artifact: String) throws {
    let bytes = try Self.bytes(artifact)
    for count in 4..<bytes.count {
      let message = error(Array(bytes[..<count]))?.description
      #expect(message?.hasPrefix("m.mlirbc:byte ") == true, "\(count) bytes: \(String(describing: message))")
    }
  }

  /// Nothing in a file makes the importer crash, hang or ask for memory without bound.
  @Test(arguments: ["calls-1.13.0", "ops-1.0.0", "types-0.17.0", "places-0.9.0"])
  func filesWithOneByteChangedDoNoHarm(artifact: String) throws {
    let bytes = try Self.bytes(artifact)
    var refused = 0
    for position in bytes.indices {
      var changed = bytes
      changed[position] = [0, 0xFF, bytes[position] ^ 1, bytes[position] &+ 2][position % 4]
      if error(changed) != nil { refused += 1 }
    }
    #expect(refused > bytes.count / 4)
  }

  @Test func newerFilesAndOperationsAreNamed() throws {
    #expect(
      error([0x4D, 0x4C, 0xEF, 0x52, 0x0F])?.description
        == "m.mlirbc:byte 5: error: the file has version 7 of MLIR's bytecode, newer than 6")
    var bytes = try Self.bytes("places-1.13.0")
    let name = Array("floor_v1".utf8)
    let start = try #require(bytes.indices.first { bytes[$0...].starts(with: name) })
    bytes.replaceSubrange(start..<start + name.count, with: Array("flour_v1".utf8))
    let refusal = try #require(error(bytes))
    #expect(refusal.isUnsupported)
    #expect(refusal.description.hasPrefix("unsupported: stablehlo.flour (m.mlirbc:byte "))
  }

  /// An attribute that is a list of itself twice, and one of 40 levels of pairs.
  @Test func attributesThatShareParts() throws {
    for levels in [1, 40] {
      let refusal = try #require(error(Bytecode.nestedLists(levels: levels, isEndless: levels == 1)))
      #expect(refusal.description.contains(levels == 1 ? "nest deeper than 64 levels" : "more than"))
    }
  }
}

/// Bytecode made by hand.
private enum Bytecode {
  /// An integer below 2^14.
  static func integer(_ value: Int) -> [UInt8] {
    value < 0x80 ? [UInt8(value << 1 | 1)] : [UInt8(value << 2 & 0xFF | 2), UInt8(value >> 6)]
  }

  static func section(_ id: UInt8, _ body: [UInt8]) -> [UInt8] { [id] + integer(body.count) + body }

  /// A module whose attributes are a dictionary of lists, each of which is the next one twice.
  static func nestedLists(levels: Int, isEndless: Bool) -> [UInt8] {
    let names = ["builtin", "module", "a"]
    let texts = names.map { Array($0.utf8) + [0] }
    let strings = integer(3) + texts.reversed().flatMap { integer($0.count) } + texts.flatMap { $0 }
    // One dialect, one kind of operation in it.
    let dialects = integer(1) + integer(0) + integer(0) + integer(1) + integer(1)
    // Attribute 0 is the dictionary {a = 2}, 1 the string "a", the others are lists; the last is a list of nothing.
    var attributes: [[UInt8]] = [integer(1) + integer(1) + integer(1) + integer(2), integer(2) + integer(2)]
    for level in 0..<levels {
      let next = isEndless ? level + 2 : level + 3
      attributes.append(integer(0) + integer(2) + integer(next) + integer(next))
    }
    attributes.append(integer(0) + integer(0))
    let offsets =
      integer(attributes.count) + integer(0) + integer(0) + integer(attributes.count)
      + attributes.flatMap { integer($0.count << 1 | 1) }
    // A block of one operation with attributes and without regions.
    let operations = integer(1 << 1) + integer(0) + [1] + integer(1) + integer(0)
    return [0x4D, 0x4C, 0xEF, 0x52] + integer(1) + [0] + section(0, strings) + section(1, dialects)
      + section(2, attributes.flatMap { $0 }) + section(3, offsets) + section(4, operations)
  }
}
