import Foundation

/// Classifies the digits of the test set, and prints how many are right.
@main
enum Classify {
  static func main() throws {
    guard CommandLine.arguments.count == 3 else {
      print("usage: classify test-images.npy test-labels.npy")
      exit(2)
    }
    let images = try elements(ofNumpyFile: CommandLine.arguments[1])
    let labels = try elements(ofNumpyFile: CommandLine.arguments[2])
    let guesses = try Digits().classify(images)
    let right = zip(guesses, labels).filter { $0 == $1 }.count
    let share = String(format: "%.1f", 100 * Double(right) / Double(labels.count))
    print("Swift: \(right) of \(labels.count) digits are right, \(share)%")
  }

  /// The bytes behind the header of a `.npy` file.
  private static func elements(ofNumpyFile path: String) throws -> [UInt8] {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    guard bytes.count >= 10 else { throw CocoaError(.fileReadCorruptFile) }
    return Array(bytes.dropFirst(10 + Int(bytes[8]) + 256 * Int(bytes[9])))
  }
}
