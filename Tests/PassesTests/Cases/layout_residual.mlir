// pass: layout, canonicalize
func.func @residual(%x: tensor<2x3x9x8xf32>, %k: tensor<5x3x3x3xf32>, %w: tensor<5x5xf32>, %s: tensor<5xf32>, %d: tensor<5x1x3x3xf32>) -> tensor<2x5x9x8xf32> {
  %c = stablehlo.convolution(%x, %k) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {pad = [[1, 1], [1, 1]]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<2x3x9x8xf32>, tensor<5x3x3x3xf32>) -> tensor<2x5x9x8xf32>
  %last = stablehlo.transpose %c, dims = [0, 2, 3, 1] : (tensor<2x5x9x8xf32>) -> tensor<2x9x8x5xf32>
  %p = stablehlo.dot_general %last, %w, contracting_dims = [3] x [0] : (tensor<2x9x8x5xf32>, tensor<5x5xf32>) -> tensor<2x9x8x5xf32>
  %first = stablehlo.transpose %p, dims = [0, 3, 1, 2] : (tensor<2x9x8x5xf32>) -> tensor<2x5x9x8xf32>
  %scale = stablehlo.broadcast_in_dim %s, dims = [1] : (tensor<5xf32>) -> tensor<2x5x9x8xf32>
  %scaled = stablehlo.multiply %scale, %first : tensor<2x5x9x8xf32>
  %sum = stablehlo.add %scaled, %c : tensor<2x5x9x8xf32>
  %r = stablehlo.convolution(%sum, %d) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {pad = [[1, 1], [1, 1]]} {batch_group_count = 1 : i64, feature_group_count = 5 : i64} : (tensor<2x5x9x8xf32>, tensor<5x1x3x3xf32>) -> tensor<2x5x9x8xf32>
  return %r : tensor<2x5x9x8xf32>
}
func.func @tokens(%x: tensor<2x3x4x6xf32>, %k: tensor<5x3x1x1xf32>, %w: tensor<5x5xf32>, %e: tensor<5x5x1x1xf32>) -> tensor<2x5x4x6xf32> {
  %c = stablehlo.convolution(%x, %k) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<2x3x4x6xf32>, tensor<5x3x1x1xf32>) -> tensor<2x5x4x6xf32>
  %flat = stablehlo.reshape %c : (tensor<2x5x4x6xf32>) -> tensor<2x5x24xf32>
  %t = stablehlo.transpose %flat, dims = [0, 2, 1] : (tensor<2x5x24xf32>) -> tensor<2x24x5xf32>
  %p = stablehlo.dot_general %t, %w, contracting_dims = [2] x [0] : (tensor<2x24x5xf32>, tensor<5x5xf32>) -> tensor<2x24x5xf32>
  %back = stablehlo.transpose %p, dims = [0, 2, 1] : (tensor<2x24x5xf32>) -> tensor<2x5x24xf32>
  %image = stablehlo.reshape %back : (tensor<2x5x24xf32>) -> tensor<2x5x4x6xf32>
  %r = stablehlo.convolution(%image, %e) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<2x5x4x6xf32>, tensor<5x5x1x1xf32>) -> tensor<2x5x4x6xf32>
  return %r : tensor<2x5x4x6xf32>
}
func.func @groups(%x: tensor<1x3x4x6xf32>, %k: tensor<6x3x1x1xf32>) -> (tensor<1x2x72xf32>, tensor<1x6xf32>, tensor<6x1x24xf32>) {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %c = stablehlo.convolution(%x, %k) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x3x4x6xf32>, tensor<6x3x1x1xf32>) -> tensor<1x6x4x6xf32>
  %groups = stablehlo.reshape %c : (tensor<1x6x4x6xf32>) -> tensor<1x2x72xf32>
  %columns = stablehlo.reduce(%c init: %z) applies stablehlo.maximum across dimensions = [2] : (tensor<1x6x4x6xf32>, tensor<f32>) -> tensor<1x6x6xf32>
  %most = stablehlo.reduce(%columns init: %z) applies stablehlo.maximum across dimensions = [2] : (tensor<1x6x6xf32>, tensor<f32>) -> tensor<1x6xf32>
  %moved = stablehlo.reshape %c : (tensor<1x6x4x6xf32>) -> tensor<6x1x24xf32>
  return %groups, %most, %moved : tensor<1x2x72xf32>, tensor<1x6xf32>, tensor<6x1x24xf32>
}
func.func @resized(%x: tensor<2x3x4x6xf32>, %k: tensor<5x3x1x1xf32>, %rows: tensor<8x1xi32>, %columns: tensor<7xi32>, %e: tensor<4x5x1x1xf32>) -> tensor<2x4x8x7xf32> {
  %c = stablehlo.convolution(%x, %k) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<2x3x4x6xf32>, tensor<5x3x1x1xf32>) -> tensor<2x5x4x6xf32>
  %tall = "stablehlo.gather"(%c, %rows) <{dimension_numbers = #stablehlo.gather<offset_dims = [0, 1, 3], collapsed_slice_dims = [2], start_index_map = [2], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 2, 5, 1, 6>}> : (tensor<2x5x4x6xf32>, tensor<8x1xi32>) -> tensor<2x5x8x6xf32>
  %wide = "stablehlo.gather"(%tall, %columns) <{dimension_numbers = #stablehlo.gather<offset_dims = [0, 1, 2], collapsed_slice_dims = [3], start_index_map = [3], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 2, 5, 8, 1>}> : (tensor<2x5x8x6xf32>, tensor<7xi32>) -> tensor<2x5x8x7xf32>
  %r = stablehlo.convolution(%wide, %e) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<2x5x8x7xf32>, tensor<4x5x1x1xf32>) -> tensor<2x4x8x7xf32>
  return %r : tensor<2x4x8x7xf32>
}
// expect:
func.func public @residual(%x: tensor<2x3x9x8xf32>, %k: tensor<5x3x3x3xf32>, %w: tensor<5x5xf32>, %s: tensor<5xf32>, %d: tensor<5x1x3x3xf32>) -> (tensor<2x5x9x8xf32>) {
  %0 = stablehlo.convolution(%x, %k) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[1, 1], [1, 1]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<2x3x9x8xf32>, tensor<5x3x3x3xf32>) -> tensor<2x9x8x5xf32>
  %1 = stablehlo.dot_general %0, %w, contracting_dims = [3] x [0] : (tensor<2x9x8x5xf32>, tensor<5x5xf32>) -> tensor<2x9x8x5xf32>
  %2 = stablehlo.broadcast_in_dim %s, dims = [3] : (tensor<5xf32>) -> tensor<2x9x8x5xf32>
  %3 = stablehlo.multiply %2, %1 : tensor<2x9x8x5xf32>
  %4 = stablehlo.add %3, %0 : tensor<2x9x8x5xf32>
  %5 = stablehlo.convolution(%4, %d) dim_numbers = [b, 0, 1, f]x[o, i, 0, 1]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[1, 1], [1, 1]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 5 : i64, batch_group_count = 1 : i64} : (tensor<2x9x8x5xf32>, tensor<5x1x3x3xf32>) -> tensor<2x9x8x5xf32>
  %6 = stablehlo.transpose %5, dims = [0, 3, 1, 2] : (tensor<2x9x8x5xf32>) -> tensor<2x5x9x8xf32>
  return %6 : tensor<2x5x9x8xf32>
}
func.func public @tokens(%x: tensor<2x3x4x6xf32>, %k: tensor<5x3x1x1xf32>, %w: tensor<5x5xf32>, %e: tensor<5x5x1x1xf32>) -> (tensor<2x5x4x6xf32>) {
  %0 = stablehlo.convolution(%x, %k) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[0, 0], [0, 0]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<2x3x4x6xf32>, tensor<5x3x1x1xf32>) -> tensor<2x4x6x5xf32>
  %1 = stablehlo.reshape %0 : (tensor<2x4x6x5xf32>) -> tensor<2x24x5xf32>
  %2 = stablehlo.dot_general %1, %w, contracting_dims = [2] x [0] : (tensor<2x24x5xf32>, tensor<5x5xf32>) -> tensor<2x24x5xf32>
  %3 = stablehlo.reshape %2 : (tensor<2x24x5xf32>) -> tensor<2x4x6x5xf32>
  %4 = stablehlo.convolution(%3, %e) dim_numbers = [b, 0, 1, f]x[o, i, 0, 1]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[0, 0], [0, 0]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<2x4x6x5xf32>, tensor<5x5x1x1xf32>) -> tensor<2x4x6x5xf32>
  %5 = stablehlo.transpose %4, dims = [0, 3, 1, 2] : (tensor<2x4x6x5xf32>) -> tensor<2x5x4x6xf32>
  return %5 : tensor<2x5x4x6xf32>
}
func.func public @groups(%x: tensor<1x3x4x6xf32>, %k: tensor<6x3x1x1xf32>) -> (tensor<1x2x72xf32>, tensor<1x6xf32>, tensor<6x1x24xf32>) {
  %0 = stablehlo.constant dense<0.0> : tensor<f32>
  %1 = stablehlo.convolution(%x, %k) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[0, 0], [0, 0]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<1x3x4x6xf32>, tensor<6x3x1x1xf32>) -> tensor<1x4x6x6xf32>
  %2 = stablehlo.transpose %1, dims = [0, 3, 1, 2] : (tensor<1x4x6x6xf32>) -> tensor<1x6x4x6xf32>
  %3 = stablehlo.reshape %2 : (tensor<1x6x4x6xf32>) -> tensor<1x2x72xf32>
  %4 = stablehlo.reduce(%1 init: %0) applies stablehlo.maximum across dimensions = [1] : (tensor<1x4x6x6xf32>, tensor<f32>) -> tensor<1x6x6xf32>
  %6 = stablehlo.reduce(%4 init: %0) applies stablehlo.maximum across dimensions = [1] : (tensor<1x6x6xf32>, tensor<f32>) -> tensor<1x6xf32>
  %8 = stablehlo.reshape %1 : (tensor<1x4x6x6xf32>) -> tensor<1x24x6xf32>
  %9 = stablehlo.transpose %8, dims = [2, 0, 1] : (tensor<1x24x6xf32>) -> tensor<6x1x24xf32>
  return %3, %6, %9 : tensor<1x2x72xf32>, tensor<1x6xf32>, tensor<6x1x24xf32>
}
func.func public @resized(%x: tensor<2x3x4x6xf32>, %k: tensor<5x3x1x1xf32>, %rows: tensor<8x1xi32>, %columns: tensor<7xi32>, %e: tensor<4x5x1x1xf32>) -> (tensor<2x4x8x7xf32>) {
  %0 = stablehlo.convolution(%x, %k) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[0, 0], [0, 0]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<2x3x4x6xf32>, tensor<5x3x1x1xf32>) -> tensor<2x4x6x5xf32>
  %1 = "stablehlo.gather"(%0, %rows) <{dimension_numbers = #stablehlo.gather<offset_dims = [0, 2, 3], collapsed_slice_dims = [1], start_index_map = [1], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 2, 1, 6, 5>}> : (tensor<2x4x6x5xf32>, tensor<8x1xi32>) -> tensor<2x8x6x5xf32>
  %2 = "stablehlo.gather"(%1, %columns) <{dimension_numbers = #stablehlo.gather<offset_dims = [0, 1, 3], collapsed_slice_dims = [2], start_index_map = [2], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 2, 8, 1, 5>}> : (tensor<2x8x6x5xf32>, tensor<7xi32>) -> tensor<2x8x7x5xf32>
  %3 = stablehlo.convolution(%2, %e) dim_numbers = [b, 0, 1, f]x[o, i, 0, 1]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[0, 0], [0, 0]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<2x8x7x5xf32>, tensor<4x5x1x1xf32>) -> tensor<2x8x7x4xf32>
  %4 = stablehlo.transpose %3, dims = [0, 3, 1, 2] : (tensor<2x8x7x4xf32>) -> tensor<2x4x8x7xf32>
  return %4 : tensor<2x4x8x7xf32>
}
