/// Where objects are kept from one compilation to the next.
public struct ObjectCache: Sendable {
  /// The object that was kept for a key, if it is still there.
  public var object: @Sendable (_ key: String) -> [UInt8]?
  /// Keeps an object; may fail without a word.
  public var keep: @Sendable (_ key: String, _ object: [UInt8]) -> Void

  public init(
    object: @escaping @Sendable (_ key: String) -> [UInt8]?,
    keep: @escaping @Sendable (_ key: String, _ object: [UInt8]) -> Void
  ) {
    self.object = object
    self.keep = keep
  }
}
