// pass: canonicalize
func.func @product() -> tensor<2x3x5xf32> {
  %a = stablehlo.constant dense<[[[1.5, 2.0], [3.0, -4.25], [0.1, 6.0]], [[7.0, 0.3], [-0.0, 10.0], [1.0e30, 1.0e30]], [[0.7, 0.6], [0.5, 0.4], [0.3, 0.2]], [[1.0, 2.0], [3.0, 4.0], [5.0, 0x7FC00000]]]> : tensor<4x3x2xf32>
  %b = stablehlo.constant dense<[[[1.0, 0.2, 3.0, 4.0, 0.5], [6.0, 7.0, 0.8, 9.0, 1.0e30]], [[-1.0, 2.5, 3.5, 4.5, 5.5], [0.25, 0.75, 1.0e-40, 1.25, 3.0]], [[1.0, 1.0, 2.0, 3.0, 5.0], [8.0, 13.0, 21.0, 34.0, 55.0]], [[2.0, 3.0, 5.0, 7.0, 11.0], [13.0, 17.0, 19.0, 23.0, 29.0]]]> : tensor<4x2x5xf32>
  %r = stablehlo.dot_general %a, %b, batching_dims = [] x [], contracting_dims = [0, 2] x [0, 1] : (tensor<4x3x2xf32>, tensor<4x2x5xf32>) -> tensor<3x5xf32>
  %s = stablehlo.broadcast_in_dim %r, dims = [1, 2] : (tensor<3x5xf32>) -> tensor<2x3x5xf32>
  return %s : tensor<2x3x5xf32>
}
func.func @batch() -> tensor<2x2x5xf32> {
  %a = stablehlo.constant dense<[[[1.5, 2.0, 3.0], [-4.25, 0.1, 6.0]], [[7.0, 0.3, -0.0], [10.0, 0.7, 0.6]]]> : tensor<2x2x3xf32>
  %b = stablehlo.constant dense<[[[1.0, 0.2, 3.0], [4.0, 0.5, 6.0], [7.0, 0.8, 9.0], [1.0, -1.0, 2.5], [3.5, 4.5, 5.5]], [[0.25, 0.75, 1.25], [3.0, 1.0, 1.0], [2.0, 3.0, 5.0], [8.0, 13.0, 21.0], [34.0, 55.0, 89.0]]]> : tensor<2x5x3xf32>
  %r = stablehlo.dot_general %a, %b, batching_dims = [0] x [0], contracting_dims = [2] x [2] : (tensor<2x2x3xf32>, tensor<2x5x3xf32>) -> tensor<2x2x5xf32>
  return %r : tensor<2x2x5xf32>
}
func.func @sums() -> (tensor<3xf32>, tensor<2x2xf32>, tensor<f32>) {
  %a = stablehlo.constant dense<[[[1.5, 0.1], [3.0, -4.25], [1.0e8, 6.0]], [[7.0, 0.3], [0.2, 10.0], [-1.0e8, 12.0]]]> : tensor<2x3x2xf32>
  %z = stablehlo.constant dense<0.7> : tensor<f32>
  %r = stablehlo.reduce(%a init: %z) applies stablehlo.add across dimensions = [0, 2] : (tensor<2x3x2xf32>, tensor<f32>) -> tensor<3xf32>
  %s = stablehlo.reduce(%a init: %z) applies stablehlo.add across dimensions = [1] : (tensor<2x3x2xf32>, tensor<f32>) -> tensor<2x2xf32>
  %t = stablehlo.reduce(%a init: %z) applies stablehlo.add across dimensions = [0, 1, 2] : (tensor<2x3x2xf32>, tensor<f32>) -> tensor<f32>
  return %r, %s, %t : tensor<3xf32>, tensor<2x2xf32>, tensor<f32>
}
func.func @standardized() -> tensor<2x3xf32> {
  %w = stablehlo.constant dense<[[1.5, 2.0, 3.0], [-4.25, 0.1, 6.0]]> : tensor<2x3xf32>
  %m = stablehlo.constant dense<[0.5, -2.0]> : tensor<2xf32>
  %wide = stablehlo.broadcast_in_dim %m, dims = [0] : (tensor<2xf32>) -> tensor<2x3xf32>
  %r = stablehlo.subtract %w, %wide : tensor<2x3xf32>
  return %r : tensor<2x3xf32>
}
// expect:
func.func public @product() -> (tensor<2x3x5xf32>) {
  %0 = stablehlo.constant dense<[[40.075, 77.525, 87.6, 131.375, 2.0e+30], [41.7, 61.05, 106.0, 114.35, -4.2500002e+30], [0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000]]> : tensor<3x5xf32>
  %1 = stablehlo.broadcast_in_dim %0, dims = [1, 2] : (tensor<3x5xf32>) -> tensor<2x3x5xf32>
  return %1 : tensor<2x3x5xf32>
}
func.func public @batch() -> (tensor<2x2x5xf32>) {
  %0 = stablehlo.constant dense<[[[10.9, 25.0, 39.1, 7.0, 30.75], [13.77, 19.05, 24.33, 10.65, 18.575]], [[1.975, 21.3, 14.9, 59.9, 254.5], [3.775, 31.3, 25.1, 101.7, 431.9]]]> : tensor<2x2x5xf32>
  return %0 : tensor<2x2x5xf32>
}
func.func public @sums() -> (tensor<3xf32>, tensor<2x2xf32>, tensor<f32>) {
  %0 = stablehlo.constant dense<[9.6, 9.65, 20.0]> : tensor<3xf32>
  %1 = stablehlo.constant dense<[[1.0000001e+08, 2.55], [-9.999999e+07, 23.0]]> : tensor<2x2xf32>
  %2 = stablehlo.constant dense<36.0> : tensor<f32>
  return %0, %1, %2 : tensor<3xf32>, tensor<2x2xf32>, tensor<f32>
}
func.func public @standardized() -> (tensor<2x3xf32>) {
  %0 = stablehlo.constant dense<[[1.0, 1.5, 2.5], [-2.25, 2.1, 8.0]]> : tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
