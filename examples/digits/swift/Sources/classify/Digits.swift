import CDigits

/// The compiled classifier.
struct Digits: ~Copyable {
  struct Refusal: Error, CustomStringConvertible {
    var description: String
  }

  static let pixelCount = 8 * 8
  static let classCount = 10
  private let model: OpaquePointer

  init() throws {
    guard let model = digits_create(nil) else { throw Refusal(description: String(cString: digits_last_error(nil))) }
    self.model = model
  }

  deinit { digits_destroy(model) }

  /// The most probable digit of each image; images follow one another, 64 pixels from 0 to 16 each.
  func classify(_ images: [UInt8]) throws -> [UInt8] {
    let count = images.count / Self.pixelCount
    var probabilities = [Float](repeating: 0, count: count * Self.classCount)
    guard digits_run(model, digits_dims(batch: Int64(count)), images, &probabilities) == 0 else {
      throw Refusal(description: String(cString: digits_last_error(model)))
    }
    return (0..<count).map { image in
      let row = probabilities[image * Self.classCount..<(image + 1) * Self.classCount]
      let best = row.indices.max { row[$0] < row[$1] } ?? row.startIndex
      return UInt8(best - row.startIndex)
    }
  }
}
