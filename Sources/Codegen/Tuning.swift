import IR

/// Another way to schedule a fusion: what its schedule is told of the machine is changed.
///
/// Every schedule decides by its request's target, so each has these variants without knowing of them; where nothing
/// changes, the kernels are equal.
public struct Variant: Hashable, Sendable {
  /// Vectors in a row of a register tile; nil as the schedule chooses.
  public var tileVectors: Int?
  /// The part of the second cache that blocks may fill: one part of so many.
  public var cacheParts: Int

  /// What is used without tuning.
  public static let usual = Variant(tileVectors: nil, cacheParts: 1)

  /// The usual one first.
  public static let all: [Variant] = [1, 4].flatMap { parts in
    [nil, 1, 2, 3, 4].map { Variant(tileVectors: $0, cacheParts: parts) }
  }
}

extension Variant: LosslessStringConvertible {
  /// `usual`, `tile=3`, `cache=1/4`, `tile=3 cache=1/4`.
  public var description: String {
    let parts = [tileVectors.map { "tile=\($0)" }, cacheParts > 1 ? "cache=1/\(cacheParts)" : nil].compactMap { $0 }
    return parts.isEmpty ? "usual" : parts.joined(separator: " ")
  }

  public init?(_ description: String) {
    guard let variant = Self.all.first(where: { $0.description == description }) else { return nil }
    self = variant
  }
}

/// The variants that fusions use where that is not the usual one: what timing has found.
public struct Tuning: Hashable, Sendable {
  /// By the text of the request.
  public var variants: [String: Variant]

  public init(variants: [String: Variant] = [:]) { self.variants = variants }

  /// The request as it is scheduled.
  func tuned(_ request: SchedulingRequest) -> SchedulingRequest {
    guard !variants.isEmpty, let variant = variants[request.text] else { return request }
    return request.varied(variant)
  }
}

/// A fusion of a program, and the kernels that compute it there.
public struct ScheduledRequest: Sendable {
  public var request: SchedulingRequest
  public var kernels: Range<Int>

  /// The kernel of a variant that gives the result: the last, after those that pack operands.
  public func lastKernel(_ variant: Variant) -> Kernel? {
    var request = request.varied(variant)
    // Nothing is packed for a kernel that does not run.
    request.constants = request.constants.map { _ in nil }
    return Schedule.scheduled(request)?.steps.lastLaunch?.kernel
  }
}

extension SchedulingRequest {
  func varied(_ variant: Variant) -> SchedulingRequest {
    var request = self
    request.target.tileVectors = variant.tileVectors
    request.target.l2ByteCount /= variant.cacheParts
    return request
  }

  /// What the request asks for, on one line: equal for equal kernels.
  public var text: String {
    let lines = body.irText.split(whereSeparator: \.isNewline)
    let words = lines.flatMap { $0.split(separator: " ") }.joined(separator: " ")
    let fixed = constants.indices.filter { constants[$0] != nil }.map { "\($0)" }.joined(separator: ",")
    return "\(anchor.rawValue) \(words)" + (fixed.isEmpty ? "" : " constant \(fixed)")
  }
}

extension Target {
  /// All that schedules decide by, on one line.
  public var text: String {
    let tiles = tileFormats.map(\.rawValue).sorted().joined(separator: ",")
    return "vector=\(vectorByteCount) registers=\(vectorRegisterCount) fma=\(hasMultiplyAdd ? 1 : 0) "
      + "tiles=\(tiles.isEmpty ? "none" : tiles) l1=\(l1ByteCount) l2=\(l2ByteCount)"
      + (hasLaneFactors ? " factors=lanes" : "") + (hasBFloatProducts ? " products=bf16" : "")
      + (halvesWords ? " words=halves" : "")
  }
}
