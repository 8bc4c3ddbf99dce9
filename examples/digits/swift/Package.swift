// swift-tools-version: 5.9
import PackageDescription

// The compiled model lies in the folder of its module map:
//
//     tfc compile ../digits.onnx -o Sources/CDigits/libdigits.so
//     swift run classify ../test-images.npy ../test-labels.npy
let model = "\(Context.packageDirectory)/Sources/CDigits"

let package = Package(
  name: "classify",
  targets: [
    .systemLibrary(name: "CDigits"),
    .executableTarget(
      name: "classify", dependencies: ["CDigits"],
      linkerSettings: [.unsafeFlags(["-L\(model)", "-Xlinker", "-rpath", "-Xlinker", model])]),
  ]
)
