internal import Codegen
internal import Foundation

/// A device that OpenCL kernels are made for, as a file describes it.
///
///     {
///       "compute_units": 132,
///       "fp64": true,
///       "group_items": 1024,
///       "local_bytes": 49152,
///       "name": "NVIDIA H100 80GB HBM3",
///       "subgroup_items": 32,
///       "subgroup_shuffles": true,
///       "tensor_instructions": true,
///       "vector_width": 1
///     }
public struct OpenCLDevice: Encodable, Hashable, Sendable {
  public var name: String
  /// The most work-items in a group.
  public var itemCount: Int
  /// Bytes of local memory that a group has.
  public var localByteCount: Int
  /// Items that run in step.
  public var subgroupItemCount: Int
  /// Whether those items read each other's registers.
  public var hasShuffles: Bool
  /// Groups that run at once, a compute unit each.
  public var computeUnitCount: Int
  /// How many f32 the vectors have that the device prefers.
  public var vectorWidth: Int
  public var fp64: Bool
  /// Whether runs of 32 items multiply fragments of f16 and bf16, as NVIDIA's do from compute capability 8.0 on.
  public var hasTensorInstructions: Bool

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case name
    case itemCount = "group_items"
    case localByteCount = "local_bytes"
    case subgroupItemCount = "subgroup_items"
    case hasShuffles = "subgroup_shuffles"
    case computeUnitCount = "compute_units"
    case vectorWidth = "vector_width"
    case fp64
    case hasTensorInstructions = "tensor_instructions"
  }

  public init(
    name: String, itemCount: Int, localByteCount: Int, subgroupItemCount: Int, hasShuffles: Bool = false,
    computeUnitCount: Int, vectorWidth: Int, fp64: Bool, hasTensorInstructions: Bool
  ) {
    self.name = name
    self.itemCount = itemCount
    self.localByteCount = localByteCount
    self.subgroupItemCount = subgroupItemCount
    self.hasShuffles = hasShuffles
    self.computeUnitCount = computeUnitCount
    self.vectorWidth = vectorWidth
    self.fp64 = fp64
    self.hasTensorInstructions = hasTensorInstructions
  }

  /// A field of older files, which no schedule needs: f16 is computed in f32.
  private static let formerField = "fp16"

  /// Throws where the file does not have exactly these fields, or a number is one that no device has.
  public init(reading path: String) throws(Failure) {
    let fields = try Fields(reading: path)
    let known = CodingKeys.allCases.map(\.rawValue)
    if let odd = fields.names.first(where: { !known.contains($0) && $0 != Self.formerField }) {
      let list = known.joined(separator: ", ")
      throw .refused("a device has no field '\(odd.prefix(40))'; expected \(list)", place: path)
    }
    name = try fields.text(CodingKeys.name.rawValue)
    itemCount = try fields.count(CodingKeys.itemCount.rawValue, in: 1...(1 << 16))
    localByteCount = try fields.count(CodingKeys.localByteCount.rawValue, in: 0...(1 << 30))
    subgroupItemCount = try fields.count(CodingKeys.subgroupItemCount.rawValue, in: 1...itemCount)
    hasShuffles = try fields.flag(CodingKeys.hasShuffles.rawValue)
    computeUnitCount = try fields.count(CodingKeys.computeUnitCount.rawValue, in: 1...(1 << 20))
    vectorWidth = try fields.count(CodingKeys.vectorWidth.rawValue, in: 1...16)
    fp64 = try fields.flag(CodingKeys.fp64.rawValue)
    hasTensorInstructions = try fields.flag(CodingKeys.hasTensorInstructions.rawValue)
  }

  /// What the file has.
  public var text: String { JSONText.pretty(self) + "\n" }

  /// What schedules know of it.
  var workGroups: WorkGroups {
    WorkGroups(
      itemCount: itemCount, localByteCount: localByteCount, subgroupItemCount: subgroupItemCount,
      computeUnitCount: computeUnitCount, hasShuffles: hasShuffles,
      vectorByteCount: [64, 32].first { $0 <= 4 * vectorWidth } ?? 16)
  }

  /// The formats of the fragments that it multiplies.
  var tileFormats: Set<TileFormat> { hasTensorInstructions ? [.f16, .bf16] : [] }

  /// Writes the file.
  public func write(to path: String) throws(Failure) { try Files.replace(path, with: Array(text.utf8)) }
}

/// A JSON object of numbers, texts and flags, with sentences for what it lacks.
private struct Fields {
  private enum Field: Decodable {
    case count(Int)
    case flag(Bool)
    case text(String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let flag = try? container.decode(Bool.self) {
        self = .flag(flag)
      } else if let count = try? container.decode(Int.self) {
        self = .count(count)
      } else {
        self = .text(try container.decode(String.self))
      }
    }
  }

  private static let byteLimit = 1 << 16

  private let path: String
  private let fields: [String: Field]

  var names: [String] { fields.keys.sorted() }

  init(reading path: String) throws(Failure) {
    let data = try Files.read(path)
    guard data.count <= Self.byteLimit else {
      throw .refused("the file has \(data.count) bytes, expected a device in at most \(Self.byteLimit)", place: path)
    }
    do { fields = try JSONDecoder().decode([String: Field].self, from: data) } catch {
      throw .refused(
        "it describes no device: expected a JSON object of texts, whole numbers, true and false", place: path)
    }
    self.path = path
  }

  private func field(_ name: String) throws(Failure) -> Field {
    guard let field = fields[name] else { throw .refused("the field '\(name)' is missing", place: path) }
    return field
  }

  func count(_ name: String, in range: ClosedRange<Int>) throws(Failure) -> Int {
    guard case .count(let count) = try field(name) else {
      throw .refused("the field '\(name)' is no whole number", place: path)
    }
    guard range.contains(count) else {
      throw .refused(
        "the field '\(name)' is \(count), expected \(range.lowerBound) to \(range.upperBound)", place: path)
    }
    return count
  }

  func flag(_ name: String) throws(Failure) -> Bool {
    guard case .flag(let flag) = try field(name) else {
      throw .refused("the field '\(name)' is neither true nor false", place: path)
    }
    return flag
  }

  func text(_ name: String) throws(Failure) -> String {
    guard case .text(let text) = try field(name) else { throw .refused("the field '\(name)' is no text", place: path) }
    return text
  }
}
