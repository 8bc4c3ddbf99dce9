/// The tables of an MLIR bytecode file ("MLIR Bytecode Format", versions 0 to 6), which its operations refer to.
struct BytecodeFile {
  /// An attribute or a type, still encoded.
  struct Entry {
    var dialect: String
    var range: Range<Int>
    /// Whether the dialect has an encoding for it; it is text otherwise.
    var isEncoded: Bool
  }

  /// The name of a kind of operation, with its dialect.
  struct OperationName {
    var name: String
    /// Whether the program that wrote the file knew the operation; its properties have an encoding of their own then.
    var isRegistered: Bool
  }

  static let magic: [UInt8] = [0x4D, 0x4C, 0xEF, 0x52]
  private static let newestVersion: UInt64 = 6

  let source: SourceFile
  let version: UInt64
  let operationNames: [OperationName]
  let attributes: [Entry]
  let types: [Entry]
  /// The properties of operations, encoded.
  let properties: [Range<Int>]
  /// The operations.
  let operations: ByteReader
  private let strings: [Range<Int>]

  private enum Section: UInt8 {
    case strings, dialects, entries, offsets, operations, resources, resourceOffsets, dialectVersion, properties
  }

  init(_ source: SourceFile) throws(SourceError) {
    self.source = source
    var reader = ByteReader(source, min(Self.magic.count, source.bytes.count)..<source.bytes.count)
    guard source.bytes.starts(with: Self.magic) else { throw source.error("the file is no MLIR bytecode", at: 0) }
    version = try reader.integer()
    guard version <= Self.newestVersion else {
      throw reader.error("the file has version \(version) of MLIR's bytecode, newer than \(Self.newestVersion)")
    }
    _ = try reader.terminatedString()
    var sections: [Section: ByteReader] = [:]
    while !reader.isAtEnd {
      let start = reader.position
      let (id, body) = try reader.section()
      guard let section = Section(rawValue: id), sections[section] == nil else {
        throw source.error("the file has a part of an unknown kind, \(id), or one twice", at: start)
      }
      sections[section] = body
    }
    func part(_ section: Section) throws(SourceError) -> ByteReader {
      guard let body = sections[section] else { throw reader.error("the file has no \(section)") }
      return body
    }
    strings = try Self.strings(try part(.strings))
    properties = try sections[.properties].map(Self.properties) ?? []
    operations = try part(.operations)
    let names = Strings(ranges: strings)
    var dialects: [String] = []
    (dialects, operationNames) = try Self.dialects(try part(.dialects), names, version: version)
    (attributes, types) = try Self.entries(try part(.offsets), try part(.entries), dialects)
  }

  /// The string that a number in `reader` stands for.
  func string(_ reader: inout ByteReader) throws(SourceError) -> String {
    try Strings(ranges: strings)[Int(clamping: try reader.integer()), reader]
  }

  private struct Strings {
    let ranges: [Range<Int>]

    subscript(index: Int, reader: ByteReader) -> String {
      get throws(SourceError) {
        guard ranges.indices.contains(index) else { throw reader.error("there is no string number \(index)") }
        return reader.source.string(ranges[index])
      }
    }
  }

  // MARK: - Tables

  /// The lengths stand in reverse order in front of the texts, each of which ends with a zero.
  private static func strings(_ section: ByteReader) throws(SourceError) -> [Range<Int>] {
    var reader = section
    let lengths = try reader.list("strings") { (reader) throws(SourceError) in
      let length = try reader.integer()
      guard length > 0, length <= UInt64(reader.end - reader.position) else {
        throw reader.error("a string of \(length) bytes does not fit")
      }
      return Int(length)
    }
    var ranges: [Range<Int>] = []
    for length in lengths.reversed() { ranges.append(try reader.skip(length).dropLast()) }
    return ranges
  }

  private static func properties(_ section: ByteReader) throws(SourceError) -> [Range<Int>] {
    var reader = section
    return try reader.list("properties") { (reader) throws(SourceError) in try reader.blob() }
  }

  /// The names of the dialects, and those of the operations, which are grouped by dialect.
  private static func dialects(
    _ section: ByteReader, _ strings: Strings, version: UInt64
  ) throws(SourceError) -> ([String], [OperationName]) {
    var reader = section
    let dialects = try reader.list("dialects") { (reader) throws(SourceError) in
      guard version >= 1 else { return try strings[Int(clamping: try reader.integer()), reader] }
      let (name, isVersioned) = try reader.flaggedInteger()
      if isVersioned { _ = try reader.section() }
      return try strings[Int(clamping: name), reader]
    }
    if version >= 4 { _ = try reader.integer() }
    var names: [OperationName] = []
    while !reader.isAtEnd {
      let dialect = try dialect(&reader, dialects)
      names += try reader.list("operations") { (reader) throws(SourceError) in
        let (index, isRegistered) = version >= 5 ? try reader.flaggedInteger() : (try reader.integer(), true)
        let name = try strings[Int(clamping: index), reader]
        return OperationName(name: name.isEmpty ? dialect : "\(dialect).\(name)", isRegistered: isRegistered)
      }
    }
    return (dialects, names)
  }

  private static func dialect(_ reader: inout ByteReader, _ dialects: [String]) throws(SourceError) -> String {
    let index = Int(clamping: try reader.integer())
    guard dialects.indices.contains(index) else { throw reader.error("there is no dialect number \(index)") }
    return dialects[index]
  }

  /// Sizes grouped by dialect, those of the attributes first; the encodings stand one behind the other.
  private static func entries(
    _ offsets: ByteReader, _ encodings: ByteReader, _ dialects: [String]
  ) throws(SourceError) -> (attributes: [Entry], types: [Entry]) {
    var (reader, encodings) = (offsets, encodings)
    let attributeCount = try reader.count("attributes")
    let typeCount = try reader.count("types")
    func group(upTo count: Int) throws(SourceError) -> [Entry] {
      var entries: [Entry] = []
      while entries.count < count {
        let dialect = try dialect(&reader, dialects)
        entries += try reader.list("attributes or types") { (reader) throws(SourceError) in
          let (size, isEncoded) = try reader.flaggedInteger()
          return Entry(dialect: dialect, range: try encodings.skip(Int(clamping: size)), isEncoded: isEncoded)
        }
      }
      guard entries.count == count else { throw reader.error("a group of attributes or types is too long") }
      return entries
    }
    return (try group(upTo: attributeCount), try group(upTo: typeCount))
  }
}
