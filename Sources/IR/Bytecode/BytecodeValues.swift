/// The attributes, types and locations of a bytecode file as syntax, each read when it is first needed.
struct BytecodeValues {
  /// What an entry stands for, and how many parts it has when it is written out: parts may be shared.
  private struct Known<Value> {
    var value: Value
    var size: Int
  }

  let file: BytecodeFile
  private var attributes: [Known<AttributeSyntax>?]
  private var types: [Known<TypeSyntax>?]
  private var locations: [Int: LocationSyntax] = [:]
  /// How many attributes and types the current one is part of.
  private var depth = 0
  /// The parts of the current attribute or type so far; outside of one, of all that were asked for.
  private var size = 0

  private static let nestingLimit = 64
  private static let sizeLimit = 1 << 23
  private static let locationSizeLimit = 64

  init(_ file: BytecodeFile) {
    self.file = file
    attributes = Array(repeating: nil, count: file.attributes.count)
    types = Array(repeating: nil, count: file.types.count)
  }

  // MARK: - Entries

  /// The attribute whose number is next in `reader`.
  mutating func attribute(_ reader: inout ByteReader) throws(SourceError) -> AttributeSyntax {
    let index = Int(clamping: try reader.integer())
    return try attribute(index, reader)
  }

  /// An attribute that may be missing.
  mutating func optionalAttribute(_ reader: inout ByteReader) throws(SourceError) -> AttributeSyntax? {
    let (index, isPresent) = try reader.flaggedInteger()
    return isPresent ? try attribute(Int(clamping: index), reader) : nil
  }

  /// The entries of the dictionary whose number is next in `reader`.
  mutating func dictionary(_ reader: inout ByteReader) throws(SourceError) -> [NamedAttribute] {
    let start = reader.position
    guard case .dictionary(let entries) = try attribute(&reader) else {
      throw file.source.error("the attributes of an operation are not a dictionary", at: start)
    }
    guard size <= Self.sizeLimit + 64 * file.source.bytes.count else {
      throw file.source.error("operations share attributes with more parts than the file can mean", at: start)
    }
    return entries
  }

  private mutating func attribute(_ index: Int, _ reader: ByteReader) throws(SourceError) -> AttributeSyntax {
    guard attributes.indices.contains(index) else { throw reader.error("there is no attribute number \(index)") }
    return try known(index, \.attributes, file.attributes[index], reader) {
      (values, reader, dialect) throws(SourceError) in
      switch dialect {
      case "builtin": try values.builtinAttribute(&reader)
      case "vhlo": try values.versionedAttribute(&reader)
      default: .other("#\(dialect)")
      }
    } text: { (parser) throws(SourceError) in
      try parser.attribute()
    }
  }

  /// The type whose number is next in `reader`.
  mutating func type(_ reader: inout ByteReader) throws(SourceError) -> TypeSyntax {
    let index = Int(clamping: try reader.integer())
    return try type(index, reader)
  }

  mutating func type(_ index: Int, _ reader: ByteReader) throws(SourceError) -> TypeSyntax {
    guard types.indices.contains(index) else { throw reader.error("there is no type number \(index)") }
    return try known(index, \.types, file.types[index], reader) { (values, reader, dialect) throws(SourceError) in
      switch dialect {
      case "builtin": try values.builtinType(&reader)
      case "vhlo": try values.versionedType(&reader)
      default: .other("!\(dialect)")
      }
    } text: { (parser) throws(SourceError) in
      try parser.type()
    }
  }

  /// An entry of a table, which is decoded when it is asked for the first time.
  private mutating func known<T>(
    _ index: Int, _ table: WritableKeyPath<Self, [Known<T>?]>, _ entry: BytecodeFile.Entry, _ reader: ByteReader,
    _ encoded: (inout Self, inout ByteReader, String) throws(SourceError) -> T,
    text: (inout SyntaxParser) throws(SourceError) -> T
  ) throws(SourceError) -> T {
    if let known = self[keyPath: table][index] {
      size += known.size
      return known.value
    }
    let (value, size) = try measured(reader) { (values) throws(SourceError) in
      try values.decode(entry, encoded, text: text)
    }
    self[keyPath: table][index] = Known(value: value, size: size)
    return value
  }

  /// What `body` reads, with the number of its parts.
  private mutating func measured<T>(
    _ reader: ByteReader, _ body: (inout Self) throws(SourceError) -> T
  ) throws(SourceError) -> (T, Int) {
    depth += 1
    let outer = size
    defer {
      depth -= 1
      size += outer
    }
    guard depth <= Self.nestingLimit else {
      throw reader.error("attributes and types nest deeper than \(Self.nestingLimit) levels")
    }
    size = 1
    let value = try body(&self)
    guard size <= Self.sizeLimit else { throw reader.error("an attribute has more than \(Self.sizeLimit) parts") }
    return (value, size)
  }

  private mutating func decode<T>(
    _ entry: BytecodeFile.Entry,
    _ encoded: (inout Self, inout ByteReader, String) throws(SourceError) -> T,
    text: (inout SyntaxParser) throws(SourceError) -> T
  ) throws(SourceError) -> T {
    var reader = ByteReader(file.source, entry.range)
    guard entry.isEncoded else {
      let written = SourceFile(try reader.terminatedString(), fileName: file.source.fileName)
      do {
        var parser = try SyntaxParser(written)
        return try text(&parser)
      } catch {
        throw file.source.error(error.message, at: entry.range.lowerBound)
      }
    }
    return try encoded(&self, &reader, entry.dialect)
  }

  // MARK: - Parts

  mutating func attributeList(_ reader: inout ByteReader) throws(SourceError) -> [AttributeSyntax] {
    let count = try reader.count("attributes")
    var result: [AttributeSyntax] = []
    for _ in 0..<count { result.append(try attribute(&reader)) }
    return result
  }

  mutating func typeList(_ reader: inout ByteReader) throws(SourceError) -> [TypeSyntax] {
    let count = try reader.count("types")
    var result: [TypeSyntax] = []
    for _ in 0..<count { result.append(try type(&reader)) }
    return result
  }

  /// Pairs of a name and a value.
  mutating func namedAttributes(_ reader: inout ByteReader) throws(SourceError) -> [NamedAttribute] {
    let count = try reader.count("attributes")
    var result: [NamedAttribute] = []
    for _ in 0..<count {
      let start = reader.position
      guard case .string(let name) = try attribute(&reader) else {
        throw file.source.error("the name of an attribute is no string", at: start)
      }
      result.append(NamedAttribute(name: name, value: try attribute(&reader)))
    }
    return result
  }

  /// Extents, those that are not fixed being the smallest integer, then an element type.
  mutating func tensorType(_ reader: inout ByteReader) throws(SourceError) -> TypeSyntax {
    let start = reader.position
    var dimensions: [Int?] = []
    for extent in try reader.signedIntegers() {
      guard extent >= 0 || extent == .min else { throw file.source.error("a tensor has extent \(extent)", at: start) }
      dimensions.append(extent == .min ? nil : Int(extent))
    }
    let typeStart = reader.position
    guard case .other(let name) = try type(&reader), let element = ElementType(named: name) else {
      throw file.source.error("elements of this type are not supported", at: typeStart)
    }
    try file.source.checkTensor(dimensions, at: start)
    return .tensor(dimensions, element)
  }

  /// A type of integers, and one of them.
  mutating func integerAttribute(_ reader: inout ByteReader) throws(SourceError) -> AttributeSyntax {
    let start = reader.position
    guard case .other(let name) = try type(&reader) else {
      throw file.source.error("an integer has a scalar type", at: start)
    }
    let width = name == "index" ? 64 : Int(name.drop { !$0.isNumber }) ?? 0
    guard (1...64).contains(width) else {
      throw file.source.error("integers of type \(name) are not supported", at: start)
    }
    let bits = width <= 8 ? Int64(try reader.byte()) : try reader.signedInteger()
    if width == 1 { return .boolean(bits & 1 == 1) }
    let unused = 64 - width
    guard name.hasPrefix("u") else { return .integer((bits << unused) >> unused, name) }
    return .integer(Int64(bitPattern: (UInt64(bitPattern: bits) << unused) >> unused), name)
  }

  /// A type of floats, and the bits of one of them as an integer.
  mutating func floatAttribute(_ reader: inout ByteReader) throws(SourceError) -> AttributeSyntax {
    let start = reader.position
    guard case .other(let name) = try type(&reader), let element = ElementType(rawValue: name), element.isFloat else {
      throw file.source.error("a number has a scalar type", at: start)
    }
    return .float(try float(element, &reader), name)
  }

  func float(_ element: ElementType, _ reader: inout ByteReader) throws(SourceError) -> Double {
    let bits = element.bitWidth <= 8 ? Int64(try reader.byte()) : try reader.signedInteger()
    var bytes: [UInt8] = []
    bytes.append(integer: bits, count: element.byteCount)
    return Literal(element, [], bytes: bytes)[0].realValue
  }

  /// A type, and the bytes of its elements, or of the one that all of them are.
  mutating func denseAttribute(_ reader: inout ByteReader) throws(SourceError) -> AttributeSyntax {
    let start = reader.position
    guard case .tensor(let dimensions, let element) = try type(&reader), !dimensions.contains(nil) else {
      throw file.source.error("a literal has a tensor type of fixed extents", at: start)
    }
    let bytes = try reader.blob()
    count(bytes)
    let literal = LiteralReader(source: file.source, position: bytes.lowerBound, elementType: element)
    return .dense(
      try literal.literal(dimensions.compactMap { $0 }, raw: Array(file.source.bytes[bytes]), at: bytes.lowerBound))
  }

  /// Counts bytes of elements as parts.
  mutating func count(_ bytes: Range<Int>) { size += bytes.count / 1024 }

  // MARK: - Locations

  /// The location whose number is next in `reader`; what is no location of a known kind is unknown.
  mutating func location(_ reader: inout ByteReader) throws(SourceError) -> LocationSyntax {
    let index = Int(clamping: try reader.integer())
    guard file.attributes.indices.contains(index) else { throw reader.error("there is no location number \(index)") }
    return location(index)
  }

  mutating func location(_ index: Int) -> LocationSyntax {
    if let known = locations[index] { return known }
    var rest = Self.locationSizeLimit
    let location = decodedLocation(index, &rest)
    locations[index] = location
    return location
  }

  /// The location with at most `rest` parts: what comes behind is unknown.
  private mutating func decodedLocation(_ index: Int, _ rest: inout Int) -> LocationSyntax {
    rest -= 1
    guard rest > 0, file.attributes.indices.contains(index), file.attributes[index].isEncoded,
      file.attributes[index].dialect == "builtin"
    else { return .unknown }
    var reader = ByteReader(file.source, file.attributes[index].range)
    do throws(SourceError) {
      func part(_ values: inout Self) throws(SourceError) -> LocationSyntax {
        values.decodedLocation(Int(clamping: try reader.integer()), &rest)
      }
      func parts(_ values: inout Self) throws(SourceError) -> [LocationSyntax] {
        let count = try reader.count("locations")
        var result: [LocationSyntax] = []
        for _ in 0..<min(count, rest) { result.append(try part(&values)) }
        return result
      }
      func name(_ values: inout Self) throws(SourceError) -> String {
        guard case .string(let name) = try values.attribute(&reader) else { throw reader.error("expected a name") }
        return name
      }
      switch BuiltinAttributeCode(rawValue: try reader.integer()) {
      case .callSiteLocation: return .fused([try part(&self), try part(&self)])
      case .fileLocation:
        let file = try name(&self)
        return .file(file, line: Int(clamping: try reader.integer()), column: Int(clamping: try reader.integer()))
      case .fileRange:
        let file = try name(&self)
        let numbers = try reader.list("numbers") { (reader) throws(SourceError) in Int(clamping: try reader.integer()) }
        return .file(file, line: numbers.first ?? 0, column: numbers.dropFirst().first ?? 0)
      case .fusedLocation, .fusedLocationWithMetadata: return .fused(try parts(&self))
      case .nameLocation:
        let name = try name(&self)
        return .name(name, try part(&self))
      default: return .unknown
      }
    } catch {
      return .unknown
    }
  }
}

extension ElementType {
  /// The type of this name in MLIR; shapes of type index are computed in 64 bits.
  init?(named name: String) {
    if name == "index" {
      self = .i64
      return
    }
    self.init(rawValue: name)
  }
}
