/// That one extent is at most another, as an op needs it; with symbols only a run knows.
public struct ExtentOrder: Hashable, Sendable {
  public var lesser: Extent
  public var greater: Extent

  public init(_ lesser: Extent, atMost greater: Extent) {
    self.lesser = lesser
    self.greater = greater
  }
}

extension Sequence where Element == (Extent, Extent) {
  /// For each pair that the first is at most the second.
  var orders: [ExtentOrder] { map { ExtentOrder($0, atMost: $1) } }
}
