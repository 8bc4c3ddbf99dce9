// pass: layout, canonicalize
func.func @main(%x: tensor<2x3x9x8xf32>, %k: tensor<5x3x3x2xf32>, %b: tensor<5xf32>, %w: tensor<4x5x1x1xf32>) -> (tensor<2x4x4x3xf32>, tensor<2x5xf32>) {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %low = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %c = stablehlo.convolution(%x, %k) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {stride = [1, 1], pad = [[1, 1], [0, 1]]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<2x3x9x8xf32>, tensor<5x3x3x2xf32>) -> tensor<2x5x9x8xf32>
  %wide = stablehlo.broadcast_in_dim %b, dims = [1] : (tensor<5xf32>) -> tensor<2x5x9x8xf32>
  %biased = stablehlo.add %c, %wide : tensor<2x5x9x8xf32>
  %pooled = "stablehlo.reduce_window"(%biased, %low) ({
  ^bb0(%a: tensor<f32>, %e: tensor<f32>):
    %m = stablehlo.maximum %a, %e : tensor<f32>
    stablehlo.return %m : tensor<f32>
  }) {window_dimensions = array<i64: 1, 1, 2, 3>, window_strides = array<i64: 1, 1, 2, 2>} : (tensor<2x5x9x8xf32>, tensor<f32>) -> tensor<2x5x4x3xf32>
  %sum = stablehlo.reduce(%pooled init: %z) applies stablehlo.add across dimensions = [2, 3] : (tensor<2x5x4x3xf32>, tensor<f32>) -> tensor<2x5xf32>
  %r = stablehlo.convolution(%pooled, %w) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {stride = [1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<2x5x4x3xf32>, tensor<4x5x1x1xf32>) -> tensor<2x4x4x3xf32>
  return %r, %sum : tensor<2x4x4x3xf32>, tensor<2x5xf32>
}
// count: transpose 1
// expect:
func.func public @main(%x: tensor<2x3x9x8xf32>, %k: tensor<5x3x3x2xf32>, %b: tensor<5xf32>, %w: tensor<4x5x1x1xf32>) -> (tensor<2x4x4x3xf32>, tensor<2x5xf32>) {
  %0 = stablehlo.constant dense<0.0> : tensor<f32>
  %1 = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %2 = stablehlo.convolution(%x, %k) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[1, 1], [0, 1]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<2x3x9x8xf32>, tensor<5x3x3x2xf32>) -> tensor<2x9x8x5xf32>
  %3 = stablehlo.broadcast_in_dim %b, dims = [3] : (tensor<5xf32>) -> tensor<2x9x8x5xf32>
  %4 = stablehlo.add %2, %3 : tensor<2x9x8x5xf32>
  %5 = "stablehlo.reduce_window"(%4, %1) <{window_dimensions = array<i64: 1, 2, 3, 1>, window_strides = array<i64: 1, 2, 2, 1>, base_dilations = array<i64: 1, 1, 1, 1>, window_dilations = array<i64: 1, 1, 1, 1>, padding = dense<[[0, 0], [0, 0], [0, 0], [0, 0]]> : tensor<4x2xi64>}> ({
  ^bb0(%arg4: tensor<f32>, %arg5: tensor<f32>):
    %6 = stablehlo.maximum %arg4, %arg5 : tensor<f32>
    stablehlo.return %6 : tensor<f32>
  }) : (tensor<2x9x8x5xf32>, tensor<f32>) -> tensor<2x4x3x5xf32>
  %7 = stablehlo.reduce(%5 init: %0) applies stablehlo.add across dimensions = [1, 2] : (tensor<2x4x3x5xf32>, tensor<f32>) -> tensor<2x5xf32>
  %9 = stablehlo.convolution(%5, %w) dim_numbers = [b, 0, 1, f]x[o, i, 0, 1]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[0, 0], [0, 0]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<2x4x3x5xf32>, tensor<4x5x1x1xf32>) -> tensor<2x4x3x4xf32>
  %10 = stablehlo.transpose %9, dims = [0, 3, 1, 2] : (tensor<2x4x3x4xf32>) -> tensor<2x4x4x3xf32>
  return %10, %7 : tensor<2x4x4x3xf32>, tensor<2x5xf32>
}
